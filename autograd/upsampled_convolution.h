// Nearest-neighbour upsampling by 2 and a convolution in one, without the large picture between them.
#pragma once

#include "gesso/autograd/convolution.h"

namespace gesso {

/// conv2d(upsample_nearest2d(x, 2), weight, bias, {.padding = 1, .padding_mode = mode}), up to rounding: computed from
/// x as the four phases of the result (core/convolution/upsampled.h), in two thirds of the time and memory.
///   x       (N, C, H, W)
///   weight  (out channels, C, 3, 3)
///   bias    (out channels)
///   result  (N, out channels, 2 H, 2 W)
/// Throws ArgumentError as conv2d does, and for kernels that are not 3 x 3.
Tensor upsample_conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
                       PaddingMode mode = PaddingMode::zeros);

/// A convolution whose result is the phases of another one's.
struct PhaseConvolution {
  Tensor weight, bias;  ///< of four times as many channels; bias may be undefined
  Conv2dFunctionOptions options;
};

/// The first of the two steps of upsample_conv2d(): conv2d of x with these. Throws as it does.
PhaseConvolution phase_convolution(const Tensor& weight, const Tensor& bias, PaddingMode mode);

/// The second: (N, C, 2 H, 2 W) from (N, 4 C, H, W); pixel (2 i + a, 2 j + b) of channel c is pixel (i, j) of channel
/// (2 a + b) C + c. Throws ArgumentError for other shapes.
Tensor join_phases(const Tensor& phases);

}  // namespace gesso
