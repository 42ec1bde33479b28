// Planes: how operations on pictures read a tensor of shape (N, C, H, W) or, unbatched, (C, H, W).
#pragma once

#include "gesso/core/tensor.h"

namespace gesso {

/// `count` pictures of one channel each, `height` by `width` pixels, one after the other.
struct Planes {
  Index count = 0;
  Index height = 0;
  Index width = 0;
};

/// The planes of x. Throws ArgumentError, naming `operation`, unless x is (N, C, H, W) or (C, H, W).
inline Planes planes_of(const Tensor& x, const char* operation) {
  require_defined(x, operation, "x");
  const int rank = x.rank();
  require(rank == 4 || rank == 3, operation, ": x must be (N, C, H, W) or (C, H, W), got shape ", x.shape());
  return {x.shape().numel(0, rank - 2), x.size(-2), x.size(-1)};
}

/// The shape of x with planes of another size.
inline Shape with_plane_size(const Shape& shape, Index height, Index width) {
  return shape.with(-2, height).with(-1, width);
}

}  // namespace gesso
