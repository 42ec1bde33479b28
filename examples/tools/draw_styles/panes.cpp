#include "panes.h"

#include <limits>

namespace draw {
namespace {

constexpr int kCoarse = 240;  // sample points along the height of the picture for Lloyd's algorithm

std::size_t nearest(const std::vector<Point>& sites, Point p) {
  std::size_t best = 0;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < sites.size(); ++i) {
    const Point d = sites[i] - p;
    if (dot(d, d) < least) {
      least = dot(d, d);
      best = i;
    }
  }
  return best;
}

// Sites for one region, given the warped sample points in it.
std::vector<Point> spread_sites(const std::vector<Point>& samples, double pane, double sample_area,
                                gesso::Generator& rng, int relaxations) {
  const double area = static_cast<double>(samples.size()) * sample_area;
  const gesso::Index count = std::max<gesso::Index>(1, std::llround(area / (pane * pane)));
  std::vector<Point> sites;
  for (gesso::Index i = 0; i < count; ++i) {
    sites.push_back(samples[rng.below(static_cast<gesso::Index>(samples.size()))]);
  }
  for (int round = 0; round < relaxations; ++round) {
    std::vector<Point> sum(sites.size());
    std::vector<double> weight(sites.size(), 0);
    for (const Point p : samples) {
      const std::size_t site = nearest(sites, p);
      sum[site] = sum[site] + p;
      weight[site] += 1;
    }
    for (std::size_t i = 0; i < sites.size(); ++i) {
      if (weight[i] > 0) {
        sites[i] = sum[i] * (1 / weight[i]);
      }
    }
  }
  return sites;
}

// The area that the warp gives to a sample's square, from three of its points.
double warped_area(const std::function<Point(Point)>& warp, Point p, double side) {
  const Point o = warp(p), u = warp({p.x + side / 8, p.y}) - o, v = warp({p.x, p.y + side / 8}) - o;
  return std::abs(u.x * v.y - u.y * v.x) * 64;
}

}  // namespace

Panes cut_panes(const Canvas& canvas, const std::function<int(Point)>& region, const std::vector<Cut>& cuts,
                gesso::Generator& rng, int relaxations) {
  // Sites from sample points that do not depend on the canvas's fineness.
  std::vector<std::vector<Point>> samples(cuts.size());
  std::vector<double> areas(cuts.size(), 0);
  const double side = 1.0 / kCoarse;
  for (int y = 0; y < kCoarse; ++y) {
    for (int x = 0; x < kCoarse * canvas.aspect(); ++x) {
      const Point p{(x + 0.5) * side, (y + 0.5) * side};
      const int r = region(p);
      samples[r].push_back(cuts[r].warp(p));
      areas[r] += warped_area(cuts[r].warp, p, side);
    }
  }
  std::vector<std::vector<Point>> sites(cuts.size());
  std::vector<int> first(cuts.size());
  Panes result;
  for (std::size_t r = 0; r < cuts.size(); ++r) {
    first[r] = static_cast<int>(result.panes.size());
    if (!samples[r].empty()) {
      const double sample_area = areas[r] / static_cast<double>(samples[r].size());
      sites[r] = spread_sites(samples[r], cuts[r].pane, sample_area, rng, relaxations);
    } else {
      sites[r] = {Point{}};  // a region so thin that no sample fell into it
    }
    result.panes.resize(result.panes.size() + sites[r].size(), {static_cast<int>(r), {}});
  }

  result.labels.resize(static_cast<std::size_t>(canvas.width()) * canvas.height());
  canvas.for_each([&](int x, int y) {
    const Point p = canvas.point(x, y);
    const int r = region(p);
    result.labels[static_cast<std::size_t>(y) * canvas.width() + x] =
        first[r] + static_cast<int>(nearest(sites[r], cuts[r].warp(p)));
  });

  std::vector<double> count(result.panes.size(), 0);
  for (int y = 0; y < canvas.height(); ++y) {
    for (int x = 0; x < canvas.width(); ++x) {
      const int label = result.labels[static_cast<std::size_t>(y) * canvas.width() + x];
      result.panes[label].middle = result.panes[label].middle + canvas.point(x, y);
      count[label] += 1;
    }
  }
  for (std::size_t i = 0; i < count.size(); ++i) {
    result.panes[i].middle = result.panes[i].middle * (1 / std::max(1.0, count[i]));
  }
  return result;
}

}  // namespace draw
