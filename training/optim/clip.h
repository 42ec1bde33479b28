// Limiting gradients.
#pragma once

#include <vector>

#include "gesso/core/tensor.h"

namespace gesso {

/// The Euclidean norm of all gradients of `parameters` taken as one vector, added up in float64 in an order
/// that does not depend on the number of threads. Parameters without a gradient count as 0.
double grad_norm(const std::vector<Tensor>& parameters);

/// Multiplies all gradients by min(1, max_norm / (norm + 1e-6)) and returns the norm they had: PyTorch's
/// clip_grad_norm_. If the norm is infinite or NaN, gradients become 0 or NaN, as in PyTorch. Throws
/// ArgumentError when max_norm is negative or NaN.
double clip_grad_norm(const std::vector<Tensor>& parameters, double max_norm);

}  // namespace gesso
