// Sums over dimensions: the kernels. Each takes a contiguous array seen as (outer, middle, inner) and sums
// over the middle. All sums are wide: float32 is added up in float64. Work is cut into blocks that depend on
// the sizes alone, and the blocks' sums are added in order, so results are the same for every number of
// threads.
#pragma once

#include "gesso/core/tensor.h"

namespace gesso {

/// y[o, i] = sum over m of x[o, m, i]; X and Y are float or double.
template <class X, class Y>
void sum_middle(const X* x, Y* y, Index outer, Index middle, Index inner);

/// x summed over the dimensions where `kept`, a shape of the same rank, has 1: a fresh tensor of that shape
/// and dtype `result`. Throws ArgumentError unless every other size of `kept` is that of x.
Tensor sum_keeping(const Tensor& x, const Shape& kept, DType result);

/// sum of (x - mean)^2 over the dimensions where `mean`, a float64 tensor of the same rank, has size 1: a
/// fresh float64 tensor of mean's shape. Throws ArgumentError as sum_keeping does.
Tensor squared_deviations(const Tensor& x, const Tensor& mean);

}  // namespace gesso
