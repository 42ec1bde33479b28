// Sums over arrays, four float64 lanes at a time, in one fixed order: whatever the instruction set, whatever
// the number of threads, the same bits. For kernels whose sums must not lose digits (moments, normalization).
#pragma once

#include "gesso/core/index.h"
#include "gesso/core/simd/vector.h"

namespace gesso::detail {

inline constexpr int kLanes = 4;  // one AVX register of float64
using Lanes = simd::Vector<double, kLanes>;

/// Where a term of a sum is: elements i ... i + 3, or the `count` < 4 that are left at the end.
struct FullLanes {
  Index i;

  template <class T>
  GESSO_INLINE simd::Vector<T, kLanes> load(const T* x) const {
    return simd::load<kLanes>(x + i);
  }
  GESSO_INLINE Lanes keep(Lanes values) const { return values; }
};

struct LastLanes {
  Index i;
  int count;

  template <class T>
  GESSO_INLINE simd::Vector<T, kLanes> load(const T* x) const {
    simd::Vector<T, kLanes> values{};
    for (int lane = 0; lane < count; ++lane) {
      values[lane] = x[i + lane];
    }
    return values;
  }
  /// `values` with 0 in the lanes that hold no element.
  GESSO_INLINE Lanes keep(Lanes values) const {
    Lanes kept{};
    for (int lane = 0; lane < count; ++lane) {
      kept[lane] = values[lane];
    }
    return kept;
  }
};

template <class V>
GESSO_INLINE Lanes widen(V values) {
  Lanes wide;
  // GCC makes one vcvtps2pd of this, two of __builtin_convertvector.
  for (int lane = 0; lane < kLanes; ++lane) {
    wide[lane] = values[lane];
  }
  return wide;
}

GESSO_INLINE double add_lanes(Lanes v) { return (v[0] + v[2]) + (v[1] + v[3]); }

/// sums[k] = the sum over elements 0 <= i < n of term k. `term(at, t)` writes the terms of the lanes `at`
/// (FullLanes or LastLanes) to t[0 ... K - 1] and must be inlined.
template <int K, class Term>
GESSO_INLINE void sum_terms(Index n, double (&sums)[K], Term term) {
  constexpr int kUnroll = 4;  // independent sums hide the latency of the additions
  Lanes total[kUnroll][K] = {};
  Lanes t[K];
  Index i = 0;
  for (; i + kUnroll * kLanes <= n; i += kUnroll * kLanes) {
#pragma GCC unroll 4
    for (int u = 0; u < kUnroll; ++u) {
      term(FullLanes{i + u * kLanes}, t);
      for (int k = 0; k < K; ++k) {
        total[u][k] += t[k];
      }
    }
  }
  for (; i + kLanes <= n; i += kLanes) {
    term(FullLanes{i}, t);
    for (int k = 0; k < K; ++k) {
      total[0][k] += t[k];
    }
  }
  if (i < n) {
    term(LastLanes{i, static_cast<int>(n - i)}, t);
    for (int k = 0; k < K; ++k) {
      total[1][k] += t[k];
    }
  }
  for (int k = 0; k < K; ++k) {
    sums[k] = add_lanes((total[0][k] + total[1][k]) + (total[2][k] + total[3][k]));
  }
}

}  // namespace gesso::detail
