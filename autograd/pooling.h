// Pooling: one number for each window of a picture.
#pragma once

#include "gesso/core/size2d.h"
#include "gesso/core/tensor.h"

namespace gesso {

struct Pool2dOptions {
  Size2d kernel = 2;       ///< height and width of a window, pixels; each from 1 to 2^20
  Size2d stride = kernel;  ///< pixels from one window to the next; at least 1
  Size2d padding = 0;      ///< rows added above and below, columns left and right; at most half the kernel
  /// Where the stride leaves a rest, one more window that hangs over the bottom or right side.
  bool ceil_mode = false;
};

/// The largest value of each window of x, (N, C, H, W) or (C, H, W); the result's planes have
/// floor((H + 2 padding - kernel) / stride) + 1 rows, and columns likewise; with ceil_mode the quotient is
/// rounded up, if that window begins inside the picture or the padding before it. Padding is never the largest; NaN
/// always is. The gradient goes to the largest pixel, the first among equals. As PyTorch's max_pool2d. Throws
/// ArgumentError for another rank, options out of range, and planes smaller than one window.
Tensor max_pool2d(const Tensor& x, const Pool2dOptions& options = {});

/// The mean of each window, of the same shape as max_pool2d's result. Padding counts as zeros, which are
/// among the pixels that the sum is divided by, as in PyTorch's avg_pool2d with its defaults; what
/// hangs over with ceil_mode is not. Throws as max_pool2d does.
Tensor avg_pool2d(const Tensor& x, const Pool2dOptions& options = {});

/// Means of windows that divide x, (N, C, H, W) or (C, H, W), as evenly as can be: planes of exactly `size`, whatever
/// those of x. Row i of them is the mean of rows floor(i H / h) to ceil((i + 1) H / h) - 1, columns likewise; size 1
/// is the mean of each plane. As PyTorch's. Throws ArgumentError for another rank, planes without pixels, and a size
/// that is not from 1 to 2^20.
Tensor adaptive_avg_pool2d(const Tensor& x, Size2d size);

}  // namespace gesso
