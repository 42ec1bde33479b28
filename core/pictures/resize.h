// Pictures at other sizes. For loading and showing: autograd does not record these, and an x whose gradient
// would be lost (it requires one and recording is on) is refused with an ArgumentError. These are recorded:
// slice(), upsample_bilinear2d(), avg_pool2d().
#pragma once

#include <memory>

#include "gesso/core/size2d.h"
#include "gesso/core/tensor.h"

namespace gesso {

/// `x` (N, C, H, W) at `height` x `width`, smoothly: separable cubic convolution (Keys 1981, with a = -1/2,
/// the Catmull-Rom spline), pixel centres aligned. When an axis shrinks, the filter widens by the same
/// factor, so that fine detail averages out instead of turning into false patterns. At the borders the
/// weights of the pixels that exist are scaled to sum to one. The filter can overshoot at edges; results are
/// clamped to the range of their input plane, so a picture in [0, 1] stays there and a constant one stays
/// exactly constant. An axis whose size does not change is left as it is. Results do not depend on the number
/// of threads. Throws ArgumentError unless x is (N, C, H, W) with H, W >= 1, and height, width >= 1.
Tensor resize_picture(const Tensor& x, Index height, Index width);

/// resize_picture() of float32 pictures of one size, some rows at a time.
class ResizeOfRows {
 public:
  /// From `from` to `to`. Throws ArgumentError for sizes below 1.
  ResizeOfRows(Size2d from, Size2d to);
  ~ResizeOfRows();
  ResizeOfRows(const ResizeOfRows&) = delete;
  ResizeOfRows& operator=(const ResizeOfRows&) = delete;

  struct Rows {
    Index begin, end;
  };
  /// The rows of the picture that rows `wanted` of the result are made of.
  Rows rows_for(const Rows& wanted) const;
  /// Rows `wanted` of the result of a picture of which `x`, (N, C, rows, W), are the rows_for() them, before they are
  /// clamped to the range of the picture's planes.
  Tensor resized(const Tensor& x, const Rows& wanted) const;

 private:
  struct Filters;
  Size2d from_, to_;
  std::unique_ptr<Filters> filters_;
};

/// `x` (N, C, H, W) resized so that the shorter of H and W becomes `size` and the other follows in
/// proportion, rounded. Throws ArgumentError as resize_picture() does, and for a picture so narrow that the result
/// would have more than max_resized_pixels.
inline constexpr Index max_resized_pixels = 100'000'000;
Tensor resize_short_side(const Tensor& x, Index size);

/// A copy of rows top <= y < top + height and columns left <= x < left + width of `x` (N, C, H, W). Throws
/// ArgumentError unless they are within it.
Tensor crop(const Tensor& x, Index top, Index left, Index height, Index width);

/// The middle `height` x `width` of `x` (N, C, H, W); where it cannot be quite in the middle, the half pixel
/// goes to the bottom and right. Throws ArgumentError if x is smaller.
Tensor center_crop(const Tensor& x, Index height, Index width);

}  // namespace gesso
