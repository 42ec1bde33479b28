// Numbers that add up to one.
#pragma once

#include "gesso/core/tensor.h"

namespace gesso {

/// exp(x[k]) / sum over k of exp(x[k]), k along `dim` (negative: from the end). Each row is shifted by its largest
/// number first, so nothing overflows; sums are wide. Throws ArgumentError for a dimension that is out of range.
Tensor softmax(const Tensor& x, int dim);

/// log(softmax(x, dim)), without the digits that taking the logarithm afterwards would lose. Throws as softmax does.
Tensor log_softmax(const Tensor& x, int dim);

}  // namespace gesso
