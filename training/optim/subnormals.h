// Averages that fade. When gradients stay away, beta m becomes smaller step by step until it is subnormal, and
// there it stays: 0.9 times the smallest number is rounded to the smallest number. Arithmetic on subnormals takes
// a CPU a hundred cycles, and every later step would be two to three times slower, for averages that move nothing.
#pragma once

#include <cmath>
#include <limits>

#include "gesso/core/index.h"
#include "gesso/core/simd/vector.h"

namespace gesso {

/// Averages are looked through in every so many steps of a parameter. To look in each would cost up to a tenth of the
/// step, and a subnormal that stays for 15 steps costs next to nothing in a training.
constexpr Index kSubnormalsEvery = 16;

/// If `look`, 0 where x is subnormal; else x. NaN stays NaN.
template <bool look, class T>
GESSO_INLINE T without_subnormals(T x) {
  return look && std::abs(x) < std::numeric_limits<T>::min() ? T{0} : x;
}

}  // namespace gesso
