// Products of matrices.
#pragma once

#include "gesso/core/tensor.h"

namespace gesso {

/// a b for a (..., m, k) and b (..., k, n): (..., m, n). The dimensions before the last two index a batch of
/// matrices and broadcast: they may be equal, 1, or missing. Throws ArgumentError for tensors of fewer than
/// two dimensions (reshape a vector to a row or a column) and when inner sizes, batches or dtypes do not fit.
Tensor matmul(const Tensor& a, const Tensor& b);

}  // namespace gesso
