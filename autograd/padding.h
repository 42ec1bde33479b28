// Padding: a frame around pictures.
#pragma once

#include "gesso/core/padding_mode.h"
#include "gesso/core/tensor.h"

namespace gesso {

/// Columns on the left and right, rows at the top and bottom, in PyTorch's order. One number stands for all.
struct Padding2d {
  Padding2d(Index all) : Padding2d(all, all, all, all) {}
  Padding2d(Index l, Index r, Index t, Index b) : left(l), right(r), top(t), bottom(b) {}

  Index left, right, top, bottom;
};

/// x (..., H, W) with a frame: (..., top + H + bottom, left + W + right). Throws ArgumentError for fewer than
/// two dimensions, negative padding, reflect padding that is not smaller than the picture, and replicate
/// padding of an empty one.
Tensor pad2d(const Tensor& x, Padding2d padding, PaddingMode mode = PaddingMode::zeros);

/// pad2d(x, padding, PaddingMode::reflect)
Tensor reflection_pad2d(const Tensor& x, Padding2d padding);

/// What pad2d checks, for operations that pad: throws ArgumentError, in the name of `operation`, unless
/// pictures of `shape` can be padded this way.
void require_can_pad(const Shape& shape, const Padding2d& padding, PaddingMode mode, const char* operation);

}  // namespace gesso
