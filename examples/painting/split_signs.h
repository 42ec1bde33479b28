// The filter bank's nonlinearity, as one operation.
#pragma once

#include "gesso/core/tensor.h"

namespace gesso {

/// Responses x (N, C, H, W) split into positive and negative parts and scaled, (N, 2C, H, W):
///
///     y[n, c]     = scale[c]     max( x[n, c], 0)
///     y[n, C + c] = scale[C + c] max(-x[n, c], 0)
///
/// `scale` has 2C elements and x's dtype; it gets no gradient. One pass over memory instead of the five that
/// negation, two ReLUs, joining and scaling would take. Throws ArgumentError unless x has rank 4 and scale
/// fits.
Tensor split_signs(const Tensor& x, const Tensor& scale);

}  // namespace gesso
