// Whether numbers are numbers.
#pragma once

#include "gesso/core/tensor.h"

namespace gesso {

/// Whether no element of `x` is NaN or infinite. As fast as memory can be read.
bool all_finite(const Tensor& x);

}  // namespace gesso
