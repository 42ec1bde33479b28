// Large kernels as sums of 3 x 3 ones. A kernel of 9 x 9 taps is nine of 3 x 3, each of which reads the
// picture three rows or columns further than the one before; so a convolution with it is a 3 x 3 convolution
// of nine shifted copies of each channel (or the sum of nine shifted results), and Winograd's algorithm
// (core/convolution/winograd/winograd.h) saves three of four products here too. Sides that are no multiple of 3 are
// filled up with zeros.
//
// The copies, or the shifted results, are made of whichever side has fewer channels, sample by sample: in a
// style network those are the three colours. Arrays and formulas: core/convolution/convolution.h.
#pragma once

#include "gesso/core/convolution/shape.h"

namespace gesso::split_convolution {

/// Whether the shape is one that these functions compute: stride 1, dilation 1, one group. The gradient to
/// the input is only that of padding by zeros.
bool can_compute(const ConvolutionShape& shape);

void forward(const ConvolutionShape& shape, const float* x, const float* w, const float* bias, float* y);

/// The convolution of dy with mirrored kernels.
void input_gradient(const ConvolutionShape& shape, const float* dy, const float* w, float* dx);

void weight_gradient(const ConvolutionShape& shape, const float* x, const float* dy, float* dw);

}  // namespace gesso::split_convolution
