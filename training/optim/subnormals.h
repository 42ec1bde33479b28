// Averages that fade. When gradients stay away, beta m becomes smaller step by step until it is subnormal, and
// there it stays: 0.9 times the smallest number is rounded to the smallest number. Arithmetic on subnormals takes
// a CPU a hundred cycles, and every later step would be two to three times slower, for averages that move nothing.
#pragma once

#include <cmath>
#include <limits>

#include "gesso/core/simd/vector.h"

namespace gesso {

/// x, or 0 where x is subnormal. NaN stays NaN.
template <class T>
GESSO_INLINE T without_subnormals(T x) {
  return std::abs(x) < std::numeric_limits<T>::min() ? T{0} : x;
}

}  // namespace gesso
