// The convolution without matrices: a tile of the result is summed up in vector registers, straight from a
// zero-padded copy of the part of the picture that it reads, small enough for the second-level cache. Unlike
// im2col, which writes each pixel once for every tap of the kernel, it writes nothing that is not read many
// times, and it is as fast with few channels as with many. Arrays and formulas:
// core/convolution/convolution.h.
#pragma once

#include "gesso/core/convolution/relu_mask.h"
#include "gesso/core/convolution/shape.h"

namespace gesso::direct_convolution {

template <class T>
void forward(const ConvolutionShape& shape, const T* x, const T* w, const T* bias, const FusedRelu& relu,
             T* y);

/// The pixels of dx fall into stride.height * stride.width classes ("phases") by which taps of the kernel
/// reach them. Each class is a convolution of dy with these taps, mirrored.
template <class T>
void input_gradient(const ConvolutionShape& shape, const T* dy, const ReluMask& mask, const T* w, T* dx);

template <class T>
void weight_gradient(const ConvolutionShape& shape, const T* x, const T* dy, const ReluMask& mask, T* dw);

}  // namespace gesso::direct_convolution
