// Large kernels as sums of 3 x 3 ones. A kernel of 9 x 9 taps is nine of 3 x 3, each of which reads the
// picture three rows or columns further than the one before; so a convolution with it is a 3 x 3 convolution
// of nine shifted copies of each channel (or the sum of nine shifted results), and Winograd's algorithm
// (core/convolution/winograd/winograd.h) saves three out of four products here too. Sides that are not a
// multiple of 3 are filled up with zeros.
//
// The copies, or the shifted results, are of whichever side has fewer channels: in a style network, the three colours.
// Copies are never made: the transforms read the pictures at other places. Shifted results go to memory, sample by sample.
// Arrays and formulas: core/convolution/convolution.h.
#pragma once

#include "gesso/core/convolution/relu_mask.h"
#include "gesso/core/convolution/shape.h"

namespace gesso::winograd_convolution::large_kernels {

void forward(const ConvolutionShape& shape, const float* x, const float* w, const float* bias,
             const FusedRelu& relu, float* y);

/// How many more rows than the result the shifted results have that are summed up to it; 0 where x is copied.
Index rows_beyond_result(const ConvolutionShape& shape);

/// The convolution of dy with mirrored kernels.
void input_gradient(const ConvolutionShape& shape, const float* dy, const ReluMask& mask, const float* w,
                    float* dx);

void weight_gradient(const ConvolutionShape& shape, const float* x, const float* dy, const ReluMask& mask,
                     float* dw);

}  // namespace gesso::winograd_convolution::large_kernels
