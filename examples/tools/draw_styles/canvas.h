// The sheet that is drawn on: finer than the picture, which is the average of its pixels (antialiasing).
#pragma once

#include <vector>

#include "color.h"
#include "geometry.h"
#include "gesso/core/parallel.h"
#include "gesso/core/tensor.h"

namespace draw {

/// Fine pixels of linear light, addressed as (x, y) or by points of the picture plane.
class Canvas {
 public:
  /// For a picture `size` pixels high and `aspect` times as wide.
  Canvas(int size, double aspect, Color ground = {});

  /// In fine pixels.
  int width() const { return width_; }
  int height() const { return height_; }
  /// Fine pixels in one unit of the picture plane.
  double scale() const { return height_; }
  /// The picture's width over its height.
  double aspect() const { return static_cast<double>(width_) / height_; }

  Color& at(int x, int y) { return pixels_[static_cast<std::size_t>(y) * width_ + x]; }
  const Color& at(int x, int y) const { return pixels_[static_cast<std::size_t>(y) * width_ + x]; }
  /// The middle of a fine pixel.
  Point point(int x, int y) const { return {(x + 0.5) / scale(), (y + 0.5) / scale()}; }

  /// Calls body(x, y) for every fine pixel, on all threads.
  template <class Body>
  void for_each(Body&& body) const {
    gesso::parallel_for(height_, 16, [&](gesso::Index begin, gesso::Index end) {
      for (int y = static_cast<int>(begin); y < end; ++y) {
        for (int x = 0; x < width_; ++x) {
          body(x, y);
        }
      }
    });
  }

  /// The picture: float32 (1, 3, height, width) of sRGB values in [0, 1].
  gesso::Tensor picture() const;

 private:
  int width_, height_;
  std::vector<Color> pixels_;
};

/// One number for every fine pixel of a canvas.
struct Field {
  explicit Field(const Canvas& canvas, float value = 0)
      : width(canvas.width()),
        height(canvas.height()),
        values(static_cast<std::size_t>(width) * height, value) {}

  float& at(int x, int y) { return values[static_cast<std::size_t>(y) * width + x]; }
  float at(int x, int y) const { return values[static_cast<std::size_t>(y) * width + x]; }

  int width, height;
  std::vector<float> values;
};

}  // namespace draw
