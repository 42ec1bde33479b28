// Sums, means and variances over chosen dimensions. `dims` lists dimensions, negative ones counted from the
// end; an empty list means all. Without keepdim the reduced dimensions disappear (all of them: the result is
// a scalar of shape ()), with it they stay with size 1. Sums are wide: float32 is added up in float64. Throws
// ArgumentError for a dimension that is out of range or listed twice.
#pragma once

#include <vector>

#include "gesso/core/tensor.h"

namespace gesso {

/// The sum; of no elements, 0.
Tensor sum(const Tensor& x, const std::vector<int>& dims = {}, bool keepdim = false);

/// The sum divided by the number of elements summed. Throws ArgumentError for a mean of no elements.
Tensor mean(const Tensor& x, const std::vector<int>& dims = {}, bool keepdim = false);

struct VarianceOptions {
  bool unbiased = true;  ///< divide by n - 1 (as PyTorch does by default), else by n
  bool keepdim = false;
};

/// The sum of (x - mean)^2 divided by n or n - 1, in two passes, so that a mean much larger than the
/// deviations does no harm. Throws ArgumentError where that would divide by 0.
Tensor variance(const Tensor& x, const std::vector<int>& dims = {}, const VarianceOptions& options = {});

/// The square root of the sum of x^2 (Euclidean, or Frobenius); its gradient is 0 where it is 0, as in PyTorch. Sums
/// are wide: squares of float32 do not overflow.
Tensor norm(const Tensor& x, const std::vector<int>& dims = {}, bool keepdim = false);

/// The index of the largest element along `dim` (the first of equals; NaN counts as largest), in row-major
/// order of the other dimensions. No gradient. Throws ArgumentError for a dimension of size 0.
std::vector<Index> argmax(const Tensor& x, int dim);

}  // namespace gesso
