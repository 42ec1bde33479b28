// Two-dimensional convolution and its transpose, with PyTorch's semantics. The formulas of forward and
// gradients, and the kernels that compute them, are in core/convolution/convolution.h.
#pragma once

#include "gesso/autograd/padding.h"
#include "gesso/core/activation.h"
#include "gesso/core/size2d.h"
#include "gesso/core/tensor.h"

namespace gesso {

struct Conv2dFunctionOptions {
  Size2d stride = 1;    ///< pixels from one reading position to the next; at least 1
  Size2d padding = 0;   ///< rows above and below, columns left and right
  Size2d dilation = 1;  ///< pixels from one tap of the kernel to the next; at least 1
  Index groups = 1;     ///< runs of channels that see only each other; divides both channel counts
  PaddingMode padding_mode = PaddingMode::zeros;  ///< what the padding holds
  /// As much padding as makes the result ceil(H / stride) by ceil(W / stride): PyTorch's padding "same" with stride 1,
  /// TensorFlow's SAME with any. Where it is odd, the greater half is at the bottom and right. `padding` must be 0.
  bool same = false;
};

/// The convolution of x with `weight`, plus `bias` for each channel (none if undefined), and then the
/// activation.
///   x       (N, C, H, W), or (C, H, W) for one picture
///   weight  (out channels, C / groups, kernel height, kernel width)
///   bias    (out channels)
///   result  (N, out channels, H', W') or (out channels, H', W'), with
///           H' = floor((H + 2 padding - dilation (kernel - 1) - 1) / stride) + 1
/// In float32 with stride 1 and dilation 1 results may be made of tiles of 4 x 4 pixels and their surroundings: one
/// that is NaN or infinite makes the whole tile NaN, and rounding errors are those of the largest pixel in sight of the
/// tile (core/convolution/winograd/winograd.h). Under a ConvolutionAlgorithmGuard of `direct` each result is made of its
/// window alone.
///
/// Padding that differs from side to side is pad2d() before it. No padded copy of x is made, whatever the padding
/// mode (but where `same` needs an odd number of rows or columns). For backward, x is kept only if weight requires a
/// gradient, weight only if x does, and for a relu one bit per number. Throws ArgumentError for shapes that
/// do not fit together, mixed dtypes, a kernel larger than the padded picture, groups that do not divide the
/// channels, and reflect padding as large as the picture.
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
              const Conv2dFunctionOptions& options = {}, Activation activation = Activation::none);

struct ConvTranspose2dFunctionOptions {
  Size2d stride = 1;
  Size2d padding = 0;         ///< taken away from the result: dilation (kernel - 1) - padding stays
  Size2d output_padding = 0;  ///< rows and columns added at the result's bottom and right; smaller than
                              ///< stride or dilation
  Index groups = 1;
  Size2d dilation = 1;
};

/// The transposed convolution: the gradient that a conv2d with this weight and these options passes to its
/// input, as an operation of its own (it enlarges where conv2d shrinks).
///   x       (N, C, H, W) or (C, H, W)
///   weight  (C, out channels / groups, kernel height, kernel width)
///   bias    (out channels)
///   result  (N, out channels, H', W') or (out channels, H', W'), with
///           H' = (H - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1
/// Throws ArgumentError as conv2d does, and when the result would have no pixels.
Tensor conv_transpose2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
                        const ConvTranspose2dFunctionOptions& options = {});

}  // namespace gesso
