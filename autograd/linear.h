// The affine map of a fully connected layer.
#pragma once

#include "gesso/core/tensor.h"

namespace gesso {

/// x weight^T + bias, as PyTorch's linear.
///   x       (..., in)
///   weight  (out, in)
///   bias    (out), or undefined for none
///   result  (..., out)
/// For backward, x is kept only if weight requires a gradient, and weight only if x does. Throws
/// ArgumentError for shapes that do not fit together and for mixed dtypes.
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

}  // namespace gesso
