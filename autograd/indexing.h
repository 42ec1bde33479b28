// Operations that pick elements by their place. Both are recorded for backward.
#pragma once

#include <vector>

#include "gesso/core/tensor.h"

namespace gesso {

/// x with the order along each of `dims` reversed (a copy): flip(x, {-1}) mirrors pictures. Throws ArgumentError for
/// a dimension out of range or listed twice.
Tensor flip(const Tensor& x, const std::vector<int>& dims);

/// Elements of x along `dim` by their index: y[i, j, k] = x[i, index[i, j, k], k] for dim 1. `index` has the shape of
/// the result, in all dimensions but `dim` that of x, and holds whole numbers from 0 to x.size(dim) - 1, in either
/// dtype. What is picked twice gets the sum of both gradients; the index gets none. Throws ArgumentError for another
/// shape, a number that is no index, and a dimension out of range.
Tensor gather(const Tensor& x, int dim, const Tensor& index);

}  // namespace gesso
