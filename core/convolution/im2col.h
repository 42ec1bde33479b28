// The convolution as products of matrices (OpenBLAS). The pixels that it reads are laid out as a matrix,
//
//     columns[(c, u, v), p] = x[c, s i - p_h + d u, s j - p_w + d v]    for pixel p = i * out.width + j of y
//
// with one row for each input channel c and kernel tap (u, v), and one column for each pixel of y. These are
// cut into blocks whose columns stay in the second-level cache between being written and being multiplied.
// Arrays and formulas: core/convolution/convolution.h.
#pragma once

#include "gesso/core/convolution/relu_mask.h"
#include "gesso/core/convolution/shape.h"

namespace gesso::im2col_convolution {

/// y = w columns + bias, for each sample, group and block of pixels.
template <class T>
void forward(const ConvolutionShape& shape, const T* x, const T* w, const T* bias, const FusedRelu& relu,
             T* y);

/// With stride 1, a convolution of dy with the mirrored kernels; else columns = w^T dy, and each number of
/// the columns is added to the pixel that it came from.
template <class T>
void input_gradient(const ConvolutionShape& shape, const T* dy, const ReluMask& mask, const T* w, T* dx);

/// dw = dy columns^T, summed over samples and blocks of pixels in a fixed order.
template <class T>
void weight_gradient(const ConvolutionShape& shape, const T* x, const T* dy, const ReluMask& mask, T* dw);

}  // namespace gesso::im2col_convolution
