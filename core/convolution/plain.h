// The convolution as its formula says: nested loops over every index. Slow, on one thread, and plain to see:
// the definition that the fast kernels are tested against. Arrays and formulas:
// core/convolution/convolution.h.
#pragma once

#include "gesso/core/convolution/relu_mask.h"
#include "gesso/core/convolution/shape.h"

namespace gesso::plain_convolution {

template <class T>
void forward(const ConvolutionShape& shape, const T* x, const T* w, const T* bias, const FusedRelu& relu,
             T* y);
template <class T>
void input_gradient(const ConvolutionShape& shape, const T* dy, const ReluMask& mask, const T* w, T* dx);
template <class T>
void weight_gradient(const ConvolutionShape& shape, const T* x, const T* dy, const ReluMask& mask, T* dw);

}  // namespace gesso::plain_convolution
