#include "score.h"

#include <algorithm>
#include <cmath>

#include "brightness.h"
#include "gesso/core/error.h"
#include "gesso/core/generator.h"
#include "gesso/core/parallel.h"
#include "gesso/core/pictures/resize.h"

namespace gesso {
namespace {

constexpr Index kLeastSide = 12;  // of pictures that are halved twice, for their edges

void require_picture(const char* what, const Tensor& x, Index least) {
  require(x.defined() && x.rank() == 4 && x.size(0) == 1 && x.size(1) == 3 && x.size(2) >= least &&
              x.size(3) >= least && x.dtype() == float32,
          what, ": a picture has shape ", x.shape(),
          "; it must be float32 (1, 3, H, W) with H and W of at least ", least);
}

// `samples` patches of x at random places: rows of 3 patch^2 numbers.
std::vector<float> draw_patches(const Tensor& x, const ScoreOptions& o, Generator& rng) {
  const Index height = x.size(2), width = x.size(3);
  const float* values = x.data<float>();
  std::vector<float> patches;
  patches.reserve(o.samples * 3 * o.patch * o.patch);
  for (Index i = 0; i < o.samples; ++i) {
    const Index top = rng.below(height - o.patch + 1), left = rng.below(width - o.patch + 1);
    for (Index c = 0; c < 3; ++c) {
      for (Index y = top; y < top + o.patch; ++y) {
        const float* row = values + (c * height + y) * width + left;
        patches.insert(patches.end(), row, row + o.patch);
      }
    }
  }
  return patches;
}

std::vector<float> sorted_projections(const std::vector<float>& patches, const float* direction,
                                      Index dimensions) {
  std::vector<float> projections(patches.size() / dimensions);
  for (std::size_t i = 0; i < projections.size(); ++i) {
    const float* patch = patches.data() + i * dimensions;
    double sum = 0;
    for (Index d = 0; d < dimensions; ++d) {
      sum += patch[d] * direction[d];
    }
    projections[i] = static_cast<float>(sum);
  }
  std::sort(projections.begin(), projections.end());
  return projections;
}

Tensor halved(const Tensor& x) {
  return resize_picture(x, std::max<Index>(1, x.size(2) / 2), std::max<Index>(1, x.size(3) / 2));
}

// Gradient magnitudes of the luminance (mean of the colours) at the inner pixels.
std::vector<double> edges_of(const Tensor& x) {
  const Index height = x.size(2), width = x.size(3), plane = height * width;
  const float* v = x.data<float>();
  const auto luminance = [&](Index i) { return brightness(v + i, plane); };
  std::vector<double> edges;
  for (Index y = 1; y + 1 < height; ++y) {
    for (Index i = y * width + 1; i + 1 < (y + 1) * width; ++i) {
      edges.push_back(
          std::hypot(luminance(i + 1) - luminance(i - 1), luminance(i + width) - luminance(i - width)));
    }
  }
  return edges;
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) {
    sum += value;
  }
  return sum / static_cast<double>(values.size());
}

}  // namespace

double sliced_wasserstein(const Tensor& a, const Tensor& b, const ScoreOptions& o) {
  require(o.patch >= 1 && o.samples >= 1 && o.directions >= 1, "sliced_wasserstein: patch ", o.patch,
          ", samples ", o.samples, " and directions ", o.directions, " must be at least 1");
  require_picture("sliced_wasserstein", a, o.patch);
  require_picture("sliced_wasserstein", b, o.patch);
  const Index dimensions = 3 * o.patch * o.patch;
  Generator rng(o.seed);
  std::vector<float> directions(o.directions * dimensions);
  rng.fill_normal(directions.data(), static_cast<Index>(directions.size()));
  // Both pictures' places come from one stream position, so that a picture is at distance 0 from itself.
  Generator same = rng;
  const std::vector<float> patches_a = draw_patches(a, o, rng), patches_b = draw_patches(b, o, same);
  std::vector<double> distances(o.directions);
  parallel_for(o.directions, 1, [&](Index begin, Index end) {
    for (Index k = begin; k < end; ++k) {
      const float* u = directions.data() + k * dimensions;
      double norm = 0;
      for (Index d = 0; d < dimensions; ++d) {
        norm += double{u[d]} * u[d];
      }
      const std::vector<float> of_a = sorted_projections(patches_a, u, dimensions);
      const std::vector<float> of_b = sorted_projections(patches_b, u, dimensions);
      double sum = 0;
      for (std::size_t i = 0; i < of_a.size(); ++i) {
        sum += std::abs(double{of_a[i]} - of_b[i]);
      }
      distances[k] = sum / static_cast<double>(o.samples) / std::sqrt(norm);
    }
  });
  return mean_of(distances);
}

double edge_agreement(const Tensor& a, const Tensor& b) {
  require_picture("edge_agreement", a, 3);
  require_picture("edge_agreement", b, 3);
  require(a.shape() == b.shape(), "edge_agreement: the pictures have shapes ", a.shape(), " and ", b.shape(),
          "; resize one to the other");
  const std::vector<double> p = edges_of(a), q = edges_of(b);
  const double mean_p = mean_of(p), mean_q = mean_of(q);
  double pp = 0, qq = 0, pq = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    pp += (p[i] - mean_p) * (p[i] - mean_p);
    qq += (q[i] - mean_q) * (q[i] - mean_q);
    pq += (p[i] - mean_p) * (q[i] - mean_q);
  }
  return pp > 0 && qq > 0 ? pq / std::sqrt(pp * qq) : 0;
}

namespace {

// Of both halved once and twice.
std::vector<double> edges_kept(Tensor a, Tensor b) {
  std::vector<double> edges;
  for (int scale = 0; scale < 2; ++scale) {
    a = halved(a);
    b = halved(b);
    edges.push_back(edge_agreement(a, b));
  }
  return edges;
}

}  // namespace

double structure_kept(const Tensor& painting, const Tensor& photograph) {
  require_picture("structure_kept", painting, kLeastSide);
  require_picture("structure_kept", photograph, kLeastSide);
  return mean_of(edges_kept(painting, photograph));
}

PictureScore score_picture(const Tensor& result, const Tensor& style, const Tensor& photograph,
                           const ScoreOptions& o) {
  require(o.scales >= 1 && o.scales <= 16, "score_picture: scales is ", o.scales,
          "; it must be from 1 to 16");
  const Index least = std::max<Index>(o.patch << (o.scales - 1), kLeastSide);
  for (const Tensor* picture : {&result, &style, &photograph}) {
    require_picture("score_picture", *picture, least);
  }
  PictureScore score{};
  ScoreOptions single = o;
  single.patch = 1;
  score.palette = sliced_wasserstein(result, style, single);
  Tensor a = result, b = style;
  for (int scale = 0; scale < o.scales; ++scale) {
    if (scale > 0) {
      a = halved(a);
      b = halved(b);
    }
    score.patches.push_back(sliced_wasserstein(a, b, o));
  }
  score.style = mean_of(score.patches);
  score.edges = edges_kept(result, resize_picture(photograph, result.size(2), result.size(3)));
  score.content = mean_of(score.edges);
  return score;
}

}  // namespace gesso
