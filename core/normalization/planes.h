// What the forward and the backward kernel of core/normalization/normalization.h share; not for others. Their sources are
// built with -ffp-contract=off (CMakeLists.txt): no multiplication is fused into an addition, so a value
// computed in two places is the same number in both.
#pragma once

#include <algorithm>

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

// y[i] = value(i) for begin <= i < end.
template <class T, class Value>
GESSO_INLINE void fill_elements(bool stream, T* y, Index begin, Index end, Value value) {
  if (stream) {
    stream_elements(y, begin, end, value);
  } else {
    for (Index i = begin; i < end; ++i) {
      y[i] = value(i);
    }
  }
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

// body(row, begin, end) for every piece begin <= i < end of `count` rows of `length` elements, in parallel.
template <class Body>
void for_each_piece(Index count, Index length, Body&& body) {
  const Index per_row = pieces_in(length);
  const Index block = std::max<Index>(1, kTask / std::max<Index>(1, std::min(length, kPiece)));
  parallel_for(count * per_row, block, [&](Index first, Index last) {
    for (Index p = first; p < last; ++p) {
      const Index begin = p % per_row * kPiece;
      body(p / per_row, begin, std::min(length, begin + kPiece));
    }
  });
}

// What a plane's elements have in common, so that the loops over them are short. The mean is split in two
// numbers of type T, high + low: x - high is exact where x is close to the mean (Sterbenz), and low, which
// float32 could not hold beside high, is taken off afterwards. Without it an input with mean / std = 1e6
// would be off by the rounding of its mean, 0.03 std.
template <class T>
struct Plane {
  T high, low, inv_std;
  T scale;  // gamma inv_std
  T shift;  // beta - low scale

  Plane(StatisticsIn statistics, Index s, double gamma_value, double beta_value)
      : high(static_cast<T>(statistics.mean[s])),
        low(static_cast<T>(statistics.mean[s] - static_cast<double>(high))),
        inv_std(static_cast<T>(statistics.inv_std[s])),
        scale(static_cast<T>(gamma_value * statistics.inv_std[s])),
        shift(static_cast<T>(beta_value - static_cast<double>(low) * gamma_value * statistics.inv_std[s])) {}
};

// gamma and beta of each element of one plane; null where all elements have the same.
template <class T>
struct ElementRows {
  const T* gamma = nullptr;
  const T* beta = nullptr;
};

template <class T>
ElementRows<T> element_rows(const NormalizationAxes& axes, const T* gamma, const T* beta) {
  return axes.rows == AffineRows::per_element ? ElementRows<T>{gamma, beta} : ElementRows<T>{};
}

template <class T>
Plane<T> plane_at(const NormalizationAxes& axes, StatisticsIn statistics, const T* gamma, const T* beta,
                  Index plane) {
  const bool per_element = axes.rows == AffineRows::per_element;  // then gamma and beta are read in the loops
  const Index row = axes.affine_index(plane, 0);
  return Plane<T>(statistics, axes.statistic(plane), gamma && !per_element ? gamma[row] : T{1},
                  beta && !per_element ? beta[row] : T{0});
}

// z = gamma (x - mean) inv_std + beta, written once for numbers and for packs of them: forward computes it,
// and backward computes the same bits again to know where the relu was open.
template <class T, class V>
GESSO_INLINE V affine(V x, const Plane<T>& p) {
  return (x - p.high) * p.scale + p.shift;
}
template <class T, class V>
GESSO_INLINE V affine(V x, const Plane<T>& p, V gamma, V beta) {
  return affine(x, p) * gamma + beta;
}

}  // namespace gesso::detail
