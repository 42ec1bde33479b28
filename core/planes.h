// Planes: how operations on pictures read a tensor of shape (N, C, H, W) or, unbatched, (C, H, W).
#pragma once

#include <cstdint>

#include "gesso/core/tensor.h"

namespace gesso {

/// `count` pictures of one channel each, `height` by `width` pixels, one behind the other.
struct Planes {
  std::int64_t count = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
};

/// The planes of x. Throws ArgumentError, naming `operation`, unless x is (N, C, H, W) or (C, H, W).
inline Planes planes_of(const Tensor& x, const char* operation) {
  require_defined(x, operation, "x");
  const int rank = x.rank();
  require(rank == 4 || rank == 3, operation, ": x must be (N, C, H, W) or (C, H, W), got shape ", x.shape());
  return {x.shape().numel(0, rank - 2), x.size(-2), x.size(-1)};
}

/// The shape of x with planes of another size.
inline Shape with_plane_size(const Shape& shape, std::int64_t height, std::int64_t width) {
  return shape.with(-2, height).with(-1, width);
}

}  // namespace gesso
