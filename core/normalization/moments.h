// Mean and variance that keep their digits. Read plain.h first: it shows what they are for.
//
// The textbook's E[x^2] - E[x]^2 subtracts two numbers that agree in their leading digits; once mean / std
// reaches about 3000, float32 has none left. Here pieces of kMomentsPiece elements are passed over once, for the sums of
// deviations from the piece's first element and of their squares, in float64. That element is one of them, so however far
// out it lies, the squares about the mean are at least 1 / (kMomentsPiece + 1) of the sum that they are taken from: 12 of
// float64's 53 bits may go. The pieces are merged by the formula of Chan, Golub and LeVeque. See docs/normalization.md
// for the error of each method over mean / std.
#pragma once

#include "gesso/core/index.h"

namespace gesso {

/// Count, mean and sum of squared deviations of a set of numbers.
struct Moments {
  Index count = 0;
  double mean = 0;
  double m2 = 0;  ///< sum of (x - mean)^2

  /// The biased variance m2 / count, which normalization divides by. 0 for an empty set.
  double variance() const { return count > 0 ? m2 / static_cast<double>(count) : 0; }
  /// The unbiased variance m2 / (count - 1), which running statistics collect. NaN for a single number.
  double unbiased_variance() const { return m2 / static_cast<double>(count - 1); }
  /// Becomes the moments of both sets together (Chan, Golub and LeVeque 1983, "Algorithms for computing the
  /// sample variance", eq. 2.1). Equal means stay exactly as they are.
  void merge(const Moments& other);
  /// Mean 0 and the sum of x^2 in place of both: moments about 0.
  Moments about_zero() const { return {count, 0, m2 + static_cast<double>(count) * mean * mean}; }
};

inline constexpr Index kMomentsPiece = 4096;  // elements; 16 KiB of float32

/// The moments of x[0 ... n - 1] for n >= 0. The same number n times gives exactly that mean and m2 = 0.
template <class T>
Moments moments(const T* x, Index n);

/// The definition that moments() is tested against: mean, then squared deviations, in long double.
template <class T>
Moments plain_moments(const T* x, Index n);

}  // namespace gesso
