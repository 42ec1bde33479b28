#include "gesso/core/normalization/moments.h"

#include <algorithm>

#include "gesso/core/simd/clones.h"
#include "gesso/core/simd/ordered_sum.h"

namespace gesso {
namespace {

// Deviations from the first element have a sum that is exactly 0 for a constant piece, so its mean is that constant to the
// last bit.
template <class T>
GESSO_SIMD Moments piece_moments(const T* x, Index n) {
  using detail::Lanes;
  const double first = static_cast<double>(x[0]);
  double sums[2];  // of deviations and of their squares
  detail::sum_terms(
      n, sums, [=](auto at, Lanes(&t)[2]) __attribute__((always_inline)) {
        t[0] = at.keep(detail::widen(at.load(x)) - first);
        t[1] = t[0] * t[0];
      });
  const double mean = sums[0] / static_cast<double>(n);
  return {n, first + mean, sums[1] - sums[0] * mean};
}

}  // namespace

void Moments::merge(const Moments& other) {
  if (other.count == 0) {
    return;
  }
  if (count == 0) {
    *this = other;
    return;
  }
  const double total = static_cast<double>(count + other.count);
  const double difference = other.mean - mean;
  mean += difference * (static_cast<double>(other.count) / total);
  m2 += other.m2 +
        difference * difference * (static_cast<double>(count) * static_cast<double>(other.count) / total);
  count += other.count;
}

template <class T>
Moments moments(const T* x, Index n) {
  Moments all;
  for (Index i = 0; i < n; i += kMomentsPiece) {
    all.merge(piece_moments(x + i, std::min(kMomentsPiece, n - i)));
  }
  return all;
}

template <class T>
Moments plain_moments(const T* x, Index n) {
  long double sum = 0, m2 = 0;
  for (Index i = 0; i < n; ++i) {
    sum += x[i];
  }
  const long double mean = n > 0 ? sum / n : 0;
  for (Index i = 0; i < n; ++i) {
    m2 += (x[i] - mean) * (x[i] - mean);
  }
  return {n, static_cast<double>(mean), static_cast<double>(m2)};
}

template Moments moments(const float*, Index);
template Moments moments(const double*, Index);
template Moments plain_moments(const float*, Index);
template Moments plain_moments(const double*, Index);

}  // namespace gesso
