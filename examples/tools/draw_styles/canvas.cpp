#include "canvas.h"

namespace draw {
namespace {

constexpr int kFine = 4;  // fine pixels along each side of a pixel of the picture

}  // namespace

Canvas::Canvas(int size, double aspect, Color ground)
    : width_(static_cast<int>(std::lround(size * aspect)) * kFine),
      height_(size * kFine),
      pixels_(static_cast<std::size_t>(width_) * height_, ground) {}

gesso::Tensor Canvas::picture() const {
  const gesso::Index width = width_ / kFine, height = height_ / kFine;
  gesso::Tensor result = gesso::Tensor::empty({1, 3, height, width});
  float* planes = result.mutable_data<float>();
  gesso::parallel_for(height, 8, [&](gesso::Index begin, gesso::Index end) {
    for (gesso::Index y = begin; y < end; ++y) {
      for (gesso::Index x = 0; x < width; ++x) {
        Color sum;
        for (int i = 0; i < kFine * kFine; ++i) {
          sum = sum + at(static_cast<int>(x * kFine + i % kFine), static_cast<int>(y * kFine + i / kFine));
        }
        const Color mean = sum * (1.0 / (kFine * kFine));
        planes[y * width + x] = static_cast<float>(to_srgb(mean.r));
        planes[(height + y) * width + x] = static_cast<float>(to_srgb(mean.g));
        planes[(2 * height + y) * width + x] = static_cast<float>(to_srgb(mean.b));
      }
    }
  });
  return result;
}

}  // namespace draw
