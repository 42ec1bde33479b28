// What the kernels of normalization.h share, forward and backward; not for use elsewhere. Their sources are
// built with -ffp-contract=off (CMakeLists.txt): no multiplication is fused into an addition, so a value that
// is computed in two places is the same number in both.
#pragma once

#include <algorithm>
#include <type_traits>

#include "gesso/core/normalization/moments.h"
#include "gesso/core/normalization/normalization.h"
#include "gesso/core/parallel.h"
#include "gesso/core/simd/ordered_sum.h"
#include "gesso/core/simd/stream.h"

namespace gesso::detail {

inline constexpr Index kPiece = kMomentsPiece;    // elements whose sums are one term of a plane's sum
inline constexpr Index kTask = 1 << 15;           // elements that are worth a parallel block
inline constexpr Index kCacheElements = 1 << 18;  // elements that stay in L2: 1 MiB of float32

inline Index pieces_in(Index length) { return (length + kPiece - 1) / kPiece; }

// Small statistics: one thread gathers the sums of one and uses them while its elements are in the cache.
inline bool fits_in_cache(const NormalizationAxes& axes) {
  return axes.elements_per_statistic() <= kCacheElements;
}

// Results that no cache holds until they are read go straight to memory.
template <class T>
bool streams(const NormalizationAxes& axes) {
  return axes.numel() * static_cast<Index>(sizeof(T)) >= kStreamBytes;
}

// Calls f with each flag as a type, so that every combination becomes a loop of its own.
template <class F>
GESSO_INLINE void with_flags(bool a, bool b, F f) {
  constexpr std::true_type yes;
  constexpr std::false_type no;
  a ? (b ? f(yes, yes) : f(yes, no)) : (b ? f(no, yes) : f(no, no));
}

template <class Body>
void for_each_statistic(const NormalizationAxes& axes, Body&& body) {
  const Index block = std::max<Index>(1, kTask / std::max<Index>(1, axes.elements_per_statistic()));
  parallel_for(axes.statistics(), block, [&](Index begin, Index end) {
    for (Index s = begin; s < end; ++s) {
      body(s);
    }
  });
}

// body(plane) for the planes of statistic s, in order.
template <class Body>
void for_each_plane(const NormalizationAxes& axes, Index s, Body&& body) {
  const Index planes_per_run = axes.channels / axes.groups;
  for (Index r = 0; r < axes.runs(); ++r) {
    const Index first = (axes.share_samples ? r * axes.groups + s : s) * planes_per_run;
    for (Index plane = first; plane < first + planes_per_run; ++plane) {
      body(plane);
    }
  }
}

// body(row, begin, end) for every piece begin <= i < end of `count` rows of `length` elements, in parallel. Of `together`
// neighbouring rows come first the first pieces, then the second ones, and so on: those that share a gamma for each element
// find it in the cache.
template <class Body>
void for_each_piece(Index count, Index length, Index together, Body&& body) {
  const Index per_row = pieces_in(length);
  const Index block = std::max<Index>(1, kTask / std::max<Index>(1, std::min(length, kPiece)));
  parallel_for(count * per_row, block, [&](Index first, Index last) {
    for (Index p = first; p < last; ++p) {
      const Index row = p / (per_row * together) * together + p % together;
      const Index begin = p / together % per_row * kPiece;
      body(row, begin, std::min(length, begin + kPiece));
    }
  });
}
template <class Body>
void for_each_piece(Index count, Index length, Body&& body) {
  for_each_piece(count, length, 1, body);
}

// What the elements of one plane have in common, so that the loops over them are short. The mean is split
// into two numbers of type T, high + low: x - high is exact where x is close to the mean (Sterbenz), and low,
// which float32 could not hold beside high, is taken off afterwards. Without it an input whose mean is 1e6
// std would be off by the rounding of its mean, 0.03 std.
template <class T>
struct Plane {
  T high, low, inv_std;
  T scale;         // gamma inv_std
  T shift;         // beta - low scale
  const T* gamma;  // null, or one for each element; then scale and shift are of gamma 1 and beta 0
  const T* beta;

  Plane(const NormalizationAxes& axes, StatisticsIn statistics, const T* gammas, const T* betas,
        Index plane) {
    const bool per_element = axes.rows == AffineRows::per_element;
    const Index s = axes.statistic(plane), row = axes.row(plane, 0);
    const double mean = statistics.mean[s], r = statistics.inv_std[s];
    const double g = gammas && !per_element ? gammas[row] : T{1};
    const double b = betas && !per_element ? betas[row] : T{0};
    high = static_cast<T>(mean);
    low = static_cast<T>(mean - static_cast<double>(high));
    inv_std = static_cast<T>(r);
    scale = static_cast<T>(g * r);
    shift = static_cast<T>(b - static_cast<double>(low) * g * r);
    gamma = per_element ? gammas : nullptr;
    beta = per_element ? betas : nullptr;
  }

  // z = gamma (x - mean) inv_std + beta, written once for numbers and for packs of them: forward computes it,
  // and backward computes the same bits again to know where the relu was open.
  template <class V>
  GESSO_INLINE V z(V x) const {
    return (x - high) * scale + shift;
  }
  template <class V>
  GESSO_INLINE V z(V x, V own_gamma, V own_beta) const {
    return z(x) * own_gamma + own_beta;
  }
  // z of element i.
  template <bool with_rows>
  GESSO_INLINE T z_of(const T* x, Index i) const {
    if constexpr (with_rows) {
      return z(x[i], gamma[i], beta[i]);
    } else {
      return z(x[i]);
    }
  }
};

}  // namespace gesso::detail
