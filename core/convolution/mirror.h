// The gradient to the input of a convolution with stride 1, as a convolution of its own: of dy, from the
// channels of y to those of x, with kernels mirrored in both dimensions.
#pragma once

#include "gesso/core/convolution/shape.h"
#include "gesso/core/tensor.h"

namespace gesso {

/// The shape of that convolution, padded by zeros. Padding may come out negative, which leaves out pixels of
/// dy.
ConvolutionShape mirrored_shape(const ConvolutionShape& shape);

/// Its weight: mirrored[g, c, o, u, v] = w[g, o, c, height - 1 - u, width - 1 - v] for group g.
template <class T>
Tensor mirrored_weight(const ConvolutionShape& shape, const T* w);

}  // namespace gesso
