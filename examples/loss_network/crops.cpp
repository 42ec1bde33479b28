#include "crops.h"

#include <algorithm>
#include <cmath>

#include "gesso/core/parallel.h"
#include "gesso/core/pictures/picture.h"
#include "gesso/core/pictures/resize.h"

namespace gesso {
namespace {

constexpr Index kShortSide = 192;

// How one crop is cut and changed, drawn before the work is shared among threads.
struct Plan {
  Index picture, top, left, side;
  bool mirrored = false, blurred = false;
  double factor[3] = {1, 1, 1}, shift = 0;  // y = (x - mean) factor + mean + shift
};

Plan draw_plan(const std::vector<Tensor>& pictures, bool varied, Generator& rng) {
  Plan plan{};
  plan.picture = rng.below(static_cast<Index>(pictures.size()));
  const Index height = pictures[plan.picture].size(2), width = pictures[plan.picture].size(3);
  plan.side = std::max<Index>(
      1, std::llround(rng.uniform(0.28, 0.75) * static_cast<double>(std::min(height, width))));
  plan.top = rng.below(height - plan.side + 1);
  plan.left = rng.below(width - plan.side + 1);
  plan.mirrored = varied && rng.uniform() < 0.5;
  plan.blurred = varied && rng.uniform() < 0.2;
  if (varied) {
    const double contrast = std::exp(rng.uniform(std::log(0.8), std::log(1.25)));
    plan.shift = rng.uniform(-0.1, 0.1);
    for (double& factor : plan.factor) {
      factor = contrast * rng.uniform(0.96, 1.04);
    }
  }
  return plan;
}

Tensor cut(const Tensor& picture, const Plan& plan, Index size) {
  Tensor x = crop(picture, plan.top, plan.left, plan.side, plan.side);
  if (plan.blurred) {  // what half the size cannot hold is lost
    x = resize_picture(x, size / 2, size / 2);
  }
  return resize_picture(x, size, size);
}

void change(const float* from, const Plan& plan, Index size, float* to) {
  const Index plane = size * size;
  for (int colour = 0; colour < 3; ++colour, from += plane, to += plane) {
    double mean = 0;
    for (Index i = 0; i < plane; ++i) {
      mean += from[i];
    }
    mean /= static_cast<double>(plane);
    const auto factor = static_cast<float>(plan.factor[colour]);
    const auto offset = static_cast<float>(mean * (1 - plan.factor[colour]) + plan.shift);
    for (Index y = 0; y < size; ++y) {
      for (Index x = 0; x < size; ++x) {
        const float value = from[y * size + (plan.mirrored ? size - 1 - x : x)];
        to[y * size + x] = std::clamp(value * factor + offset, 0.0f, 1.0f);
      }
    }
  }
}

}  // namespace

std::vector<Tensor> load_small(const std::vector<std::string>& files) {
  std::vector<Tensor> pictures(files.size());
  parallel_for(static_cast<Index>(files.size()), 1, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      pictures[i] = resize_short_side(load_picture(files[i]), kShortSide);
    }
  });
  return pictures;
}

Crops draw_crops(const std::vector<Tensor>& pictures, Index count, Index size, bool varied, Generator& rng) {
  std::vector<Plan> plans;
  Crops crops{Tensor::empty({count, 3, size, size}), {}};
  for (Index i = 0; i < count; ++i) {
    plans.push_back(draw_plan(pictures, varied, rng));
    crops.labels.push_back(plans.back().picture);
  }
  float* values = crops.pictures.mutable_data<float>();
  parallel_for(count, 1, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const Tensor x = cut(pictures[plans[i].picture], plans[i], size);
      change(x.data<float>(), plans[i], size, values + i * 3 * size * size);
    }
  });
  return crops;
}

}  // namespace gesso
