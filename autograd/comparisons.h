// Comparing numbers, and choosing by what came of it. Shapes broadcast by NumPy's rules; arguments of one operation
// have one dtype (ArgumentError).
#pragma once

#include "gesso/core/tensor.h"

namespace gesso {

/// 1 where it holds and 0 where it does not, in a's dtype; never where one side is NaN, but for ne. No gradient.
Tensor eq(const Tensor& a, const Tensor& b);  ///< a == b
Tensor ne(const Tensor& a, const Tensor& b);  ///< a != b
Tensor lt(const Tensor& a, const Tensor& b);  ///< a < b
Tensor le(const Tensor& a, const Tensor& b);  ///< a <= b
Tensor gt(const Tensor& a, const Tensor& b);  ///< a > b
Tensor ge(const Tensor& a, const Tensor& b);  ///< a >= b
/// The same with a number, in a's dtype: gt(x, 0).
Tensor eq(const Tensor& a, double b);
Tensor ne(const Tensor& a, double b);
Tensor lt(const Tensor& a, double b);
Tensor le(const Tensor& a, double b);
Tensor gt(const Tensor& a, double b);
Tensor ge(const Tensor& a, double b);

/// The larger and the smaller of a and b; NaN where one is. The gradient goes to the one that was taken, half to each
/// where they are equal, all to both at NaN, as in PyTorch.
Tensor maximum(const Tensor& a, const Tensor& b);
Tensor minimum(const Tensor& a, const Tensor& b);

/// a where `condition` is not 0, else b; all three broadcast. The condition may have the other dtype and gets no
/// gradient. What was not taken gets a gradient of exactly 0, even where it is NaN or infinite.
Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b);

}  // namespace gesso
