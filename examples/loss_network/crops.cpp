#include "crops.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "gesso/core/parallel.h"
#include "gesso/core/pictures/picture.h"
#include "gesso/core/pictures/resize.h"
#include "gesso/core/pictures/turn.h"

namespace gesso {
namespace {

constexpr Index kShortSide = 384;

// How one crop is cut and changed, drawn before the work is shared among threads.
struct Plan {
  Index picture, top, left, side;
  double angle = 0;  // radians
  bool mirrored = false;
  double blur = 1;                                     // scaled down so many times and up again
  double factor[3] = {1, 1, 1}, shift = 0, noise = 0;  // y = (x - mean) factor + mean + shift + noise
  std::uint64_t noise_seed = 0;
};

Plan draw_plan(const std::vector<Tensor>& pictures, bool varied, Generator& rng) {
  Plan plan{};
  plan.picture = rng.below(static_cast<Index>(pictures.size()));
  const Index height = pictures[plan.picture].size(2), width = pictures[plan.picture].size(3);
  plan.side =
      std::max<Index>(1, std::llround(rng.uniform(0.2, 1.0) * static_cast<double>(std::min(height, width))));
  plan.top = rng.below(height - plan.side + 1);
  plan.left = rng.below(width - plan.side + 1);
  if (varied) {
    plan.angle = rng.uniform() < 0.5 ? rng.uniform(-std::numbers::pi, std::numbers::pi) : 0;
    plan.mirrored = rng.uniform() < 0.5;
    plan.blur = rng.uniform() < 0.25 ? rng.uniform(1, 3) : 1;
    const double contrast = std::exp(rng.uniform(std::log(0.6), std::log(1.6)));
    plan.shift = rng.uniform(-0.15, 0.15);
    for (double& factor : plan.factor) {
      factor = contrast * rng.uniform(0.85, 1.15);
    }
    plan.noise = rng.uniform() < 1.0 / 3 ? rng.uniform(0, 0.15) : 0;
    plan.noise_seed = static_cast<std::uint64_t>(rng.below(Index{1} << 40));
  }
  return plan;
}

Tensor cut(const Tensor& picture, const Plan& plan, Index size) {
  Tensor x = crop(picture, plan.top, plan.left, plan.side, plan.side);
  if (plan.blur > 1) {  // what the smaller size cannot hold is lost
    const Index smaller = std::max<Index>(1, std::llround(static_cast<double>(size) / plan.blur));
    x = resize_picture(x, smaller, smaller);
  }
  if (plan.angle == 0) {
    return resize_picture(x, size, size);
  }
  const auto diagonal = static_cast<Index>(std::ceil(std::numbers::sqrt2 * static_cast<double>(size))) + 1;
  return turn_picture(resize_picture(x, diagonal, diagonal), plan.angle, size, size);
}

void change(const float* from, const Plan& plan, Index size, float* to) {
  const Index plane = size * size;
  std::vector<float> noise(static_cast<std::size_t>(plan.noise > 0 ? 3 * plane : 0));
  Generator rng(plan.noise_seed);
  rng.fill_normal(noise.data(), static_cast<Index>(noise.size()));
  const auto deviation = static_cast<float>(plan.noise);
  for (int colour = 0; colour < 3; ++colour, from += plane, to += plane) {
    double mean = 0;
    for (Index i = 0; i < plane; ++i) {
      mean += from[i];
    }
    mean /= static_cast<double>(plane);
    const auto factor = static_cast<float>(plan.factor[colour]);
    const auto offset = static_cast<float>(mean * (1 - plan.factor[colour]) + plan.shift);
    const float* grain = noise.empty() ? nullptr : noise.data() + colour * plane;
    for (Index y = 0; y < size; ++y) {
      for (Index x = 0; x < size; ++x) {
        const Index at = y * size + x;
        const float value = from[y * size + (plan.mirrored ? size - 1 - x : x)] * factor + offset;
        to[at] = std::clamp(grain ? value + deviation * grain[at] : value, 0.0f, 1.0f);
      }
    }
  }
}

}  // namespace

std::vector<Tensor> load_small(const std::vector<std::string>& files) {
  std::vector<Tensor> pictures(files.size());
  std::vector<std::string> complaints(files.size());
  parallel_for(static_cast<Index>(files.size()), 1, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      try {
        const Tensor picture = load_picture(files[i]);
        const bool large = std::min(picture.size(2), picture.size(3)) > kShortSide;
        pictures[i] = large ? resize_short_side(picture, kShortSide) : picture;
      } catch (const FileError& error) {
        complaints[i] = error.what();
      }
    }
  });
  std::erase_if(pictures, [](const Tensor& picture) { return !picture.defined(); });
  if (pictures.empty() && !files.empty()) {
    throw FileError(complaints.front());
  }
  return pictures;
}

double memory_of_small(const std::vector<std::string>& files) {
  double bytes = 0;
  for (const std::string& file : files) {
    try {
      const Size2d size = read_picture_size(file);
      const double factor = std::min(
          1.0, static_cast<double>(kShortSide) / static_cast<double>(std::min(size.height, size.width)));
      bytes += 12 * factor * factor * static_cast<double>(size.height) * static_cast<double>(size.width);
    } catch (const FileError&) {
      // It is left out.
    }
  }
  return bytes;
}

Tensor draw_crops(const std::vector<Tensor>& pictures, Index count, Index size, bool varied, Generator& rng) {
  return draw_crops(pictures, count, size, varied, rng, 0, count);
}

Tensor draw_crops(const std::vector<Tensor>& pictures, Index count, Index size, bool varied, Generator& rng,
                  Index first, Index last) {
  std::vector<Plan> plans;
  for (Index i = 0; i < count; ++i) {
    plans.push_back(draw_plan(pictures, varied, rng));
  }
  Tensor crops = Tensor::empty({last - first, 3, size, size});
  float* values = crops.mutable_data<float>();
  parallel_for(last - first, 1, [&](Index i, Index) {
    const Plan& plan = plans[first + i];
    const Tensor x = cut(pictures[plan.picture], plan, size);
    change(x.data<float>(), plan, size, values + i * 3 * size * size);
  });
  return crops;
}

}  // namespace gesso
