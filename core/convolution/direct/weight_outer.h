// The gradient to the weight of a direct convolution (core/convolution/direct/direct.h) with many channels:
// registers hold channels of y, which are all multiplied by one pixel of x after another. Nothing is added up
// across a register, and a tile need not fill registers with its columns.
#pragma once

#include "gesso/core/convolution/shape.h"

namespace gesso::outer_product_convolution {

/// Whether the channels of y nearly fill registers of T: where they do not, this is slower than sums over
/// pixels.
template <class T>
bool suits(const ConvolutionShape& shape);

template <class T>
void weight_gradient(const ConvolutionShape& shape, const T* x, const T* dy, T* dw);

}  // namespace gesso::outer_product_convolution
