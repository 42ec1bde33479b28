// Upsampling: larger pictures, by repeating pixels or by blending between them.
#pragma once

#include "gesso/core/tensor.h"

namespace gesso {

/// Each pixel of x, (N, C, H, W) or (C, H, W), as a block of scale x scale equal pixels. Throws ArgumentError
/// for another rank and for a scale that is not from 1 to 2^20.
Tensor upsample_nearest2d(const Tensor& x, Index scale = 2);

/// The new size is given by exactly one of `scale` and `height` with `width`.
struct BilinearOptions {
  double scale = 0;            ///< new sizes are floor(scale * size); a side that keeps its size is copied
  Index height = 0;            ///< rows of the result
  Index width = 0;             ///< columns of the result
  bool align_corners = false;  ///< true: the centres of corner pixels stay in the corners; false: their edges
};

/// x, (N, C, H, W) or (C, H, W), blended linearly between the four nearest pixels, as PyTorch's interpolate
/// with mode "bilinear" (which does not filter: shrinking by more than 2 leaves pixels out). Throws
/// ArgumentError for another rank, planes without pixels, and unless the size is given in exactly one way.
Tensor upsample_bilinear2d(const Tensor& x, const BilinearOptions& options);

}  // namespace gesso
