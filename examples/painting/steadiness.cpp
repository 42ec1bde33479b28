#include "steadiness.h"

#include <algorithm>
#include <cmath>

#include "gesso/autograd/batch_share.h"
#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/losses.h"
#include "gesso/autograd/reduce.h"
#include "gesso/autograd/shape_ops.h"
#include "gesso/core/error.h"

namespace gesso {
namespace {

constexpr Index kFarthest = 8;    // pixels
constexpr double kNoise = 0.02;   // standard deviation
constexpr Index kInfluence = 16;  // pixels around the disc that may be painted otherwise

// Rows and columns of x that a picture moved by (down, right) still shows, where it shows them (`moved`) or
// where they were.
Tensor overlap(const Tensor& x, Index down, Index right, bool moved) {
  const auto range = [moved](Index size, Index by) {
    const Index first = moved ? std::max<Index>(0, by) : std::max<Index>(0, -by);
    return std::pair{first, first + size - std::abs(by)};
  };
  const auto [top, bottom] = range(x.size(2), down);
  const auto [left, end] = range(x.size(3), right);
  return slice(slice(x, 2, top, bottom), 3, left, end);
}

}  // namespace

NextFrame next_frame(const Tensor& photographs, Generator& rng) {
  require(photographs.rank() == 4 && photographs.size(1) == 3 && photographs.dtype() == float32,
          "next_frame: the photographs have shape ", photographs.shape(),
          "; they must be float32 (N, 3, H, W)");
  const Index count = photographs.size(0), height = photographs.size(2), width = photographs.size(3);
  const auto step = [&] { return rng.below(2 * kFarthest + 1) - kFarthest; };
  const Index down = step(), right = step();
  NextFrame next{Tensor::empty(photographs.shape()), Tensor::ones({count, 1, height, width}), down, right};
  // All is drawn for the whole batch; a process keeps what is for its own photographs.
  const auto share = BatchShare::current();
  const Index total = share ? share->total() : count, first = share ? share->first() : 0;
  const Tensor all_noise = Tensor::randn(photographs.shape().with(0, total), rng);
  const Tensor noise = all_noise.slice(first, first + count);
  const float* from = photographs.data<float>();
  const float* grain = noise.data<float>();
  float* to = next.photographs.mutable_data<float>();
  float* same = next.unchanged.mutable_data<float>();
  for (Index of_all = 0; of_all < total; ++of_all) {
    const double radius = rng.uniform(0.03, 0.15) * static_cast<double>(std::min(height, width));
    const double y0 = rng.uniform(0, static_cast<double>(height));
    const double x0 = rng.uniform(0, static_cast<double>(width));
    const auto brightness = static_cast<float>(rng.uniform());
    const Index n = of_all - first;
    if (n < 0 || n >= count) {
      continue;
    }
    for (Index c = 0; c < 3; ++c) {
      for (Index y = 0; y < height; ++y) {
        for (Index x = 0; x < width; ++x) {
          const Index at = ((n * 3 + c) * height + y) * width + x;
          const Index row = std::clamp<Index>(y - down, 0, height - 1);
          const Index column = std::clamp<Index>(x - right, 0, width - 1);
          const double distance = std::hypot(static_cast<double>(y) - y0, static_cast<double>(x) - x0);
          const float value =
              distance <= radius ? brightness : from[((n * 3 + c) * height + row) * width + column];
          to[at] = std::clamp(value + static_cast<float>(kNoise) * grain[at], 0.0f, 1.0f);
          if (c == 0 && distance <= radius + static_cast<double>(kInfluence)) {
            same[(n * height + y) * width + x] = 0;
          }
        }
      }
    }
  }
  return next;
}

Tensor steadiness_loss(const Tensor& painted, const Tensor& painted_next, const NextFrame& next) {
  const Tensor before = overlap(painted, next.down, next.right, false);
  const Tensor after = overlap(painted_next, next.down, next.right, true);
  const Tensor unchanged = overlap(next.unchanged, next.down, next.right, true);
  return mean(gather_samples(mse_of_samples(after * unchanged, before * unchanged)));
}

}  // namespace gesso
