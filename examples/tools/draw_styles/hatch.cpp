#include "hatch.h"

#include <deque>

namespace draw {
namespace {

constexpr double kMargin = 0.02;  // lines run out of the picture by this much
constexpr double kCrowded =
    0.55;                       // a line ends where it comes nearer to another than this share of the spacing
constexpr double kStep = 0.35;  // of the spacing
constexpr double kShortest = 2.0;  // lines shorter than this many spacings are not drawn
constexpr double kLongest = 0.6;   // in units of the picture plane

// The points of all lines so far, in square buckets with the spacing as side.
class Neighbourhood {
 public:
  Neighbourhood(double aspect, double spacing)
      : spacing_(spacing),
        columns_(static_cast<int>((aspect + 2 * kMargin) / spacing) + 3),
        rows_(static_cast<int>((1 + 2 * kMargin) / spacing) + 3),
        buckets_(static_cast<std::size_t>(columns_) * rows_) {}

  void add(Point p) { buckets_[bucket(column(p), row(p))].push_back(p); }

  bool nearer(Point p, double distance) const {
    for (int j = std::max(row(p) - 1, 0); j <= std::min(row(p) + 1, rows_ - 1); ++j) {
      for (int i = std::max(column(p) - 1, 0); i <= std::min(column(p) + 1, columns_ - 1); ++i) {
        for (const Point q : buckets_[bucket(i, j)]) {
          if (dot(p - q, p - q) < distance * distance) {
            return true;
          }
        }
      }
    }
    return false;
  }

 private:
  int column(Point p) const {
    return std::clamp(static_cast<int>((p.x + kMargin) / spacing_), 0, columns_ - 1);
  }
  int row(Point p) const { return std::clamp(static_cast<int>((p.y + kMargin) / spacing_), 0, rows_ - 1); }
  std::size_t bucket(int i, int j) const { return static_cast<std::size_t>(j) * columns_ + i; }

  double spacing_;
  int columns_, rows_;
  std::vector<std::vector<Point>> buckets_;
};

}  // namespace

std::vector<std::vector<Point>> hatch(const std::function<bool(Point)>& inside,
                                      const std::function<Point(Point)>& direction, double aspect,
                                      double spacing, gesso::Generator& rng) {
  Neighbourhood taken(aspect, spacing);
  const auto free = [&](Point p, double distance) {
    return p.x > -kMargin && p.x < aspect + kMargin && p.y > -kMargin && p.y < 1 + kMargin && inside(p) &&
           !taken.nearer(p, distance);
  };
  const double step = kStep * spacing;
  // The way from `start`, without it, to one side.
  const auto walk = [&](Point start, double side) {
    std::vector<Point> way;
    Point p = start, heading = unit(direction(start)) * side;
    for (double walked = 0; walked < kLongest; walked += step) {
      const Point next = unit(direction(p));
      const double turn = dot(next, heading);
      if (std::abs(turn) < 0.5) {
        break;  // the field has a crease here; a pen would be lifted
      }
      heading = turn < 0 ? next * -1 : next;
      p = p + heading * step;
      if (!free(p, kCrowded * spacing)) {
        break;
      }
      way.push_back(p);
    }
    return way;
  };

  std::vector<std::vector<Point>> lines;
  std::deque<Point> seeds;
  const auto draw_from = [&](Point seed) {
    std::vector<Point> line = walk(seed, -1);
    std::reverse(line.begin(), line.end());
    line.push_back(seed);
    const std::vector<Point> forward = walk(seed, 1);
    line.insert(line.end(), forward.begin(), forward.end());
    if (static_cast<double>(line.size() - 1) * step < kShortest * spacing) {
      return;
    }
    for (const Point p : line) {
      taken.add(p);
      const Point along = unit(direction(p)), normal{-along.y, along.x};
      seeds.push_back(p + normal * spacing);
      seeds.push_back(p - normal * spacing);
    }
    lines.push_back(std::move(line));
  };
  const auto tries = static_cast<gesso::Index>(2 * aspect / (spacing * spacing));
  for (gesso::Index i = 0; i < tries; ++i) {
    const Point seed{rng.uniform(0, aspect), rng.uniform()};
    if (free(seed, spacing)) {
      draw_from(seed);
    }
    while (!seeds.empty()) {
      const Point next = seeds.front();
      seeds.pop_front();
      if (free(next, 0.97 * spacing)) {
        draw_from(next);
      }
    }
  }
  return lines;
}

}  // namespace draw
