// Loops over elements: y[i] = f(x[i]) and y[i] = f(a[i], b[i]), in parallel and vectorised.
#pragma once

#include "gesso/core/index.h"
#include "gesso/core/parallel.h"
#include "gesso/core/simd/clones.h"

namespace gesso {

inline constexpr Index kElementwiseBlock = 1 << 15;  // elements; two or three arrays of it fit in L2

namespace detail {

template <class T, class F>
GESSO_SIMD void map_block(const T* x, T* y, Index n, F f) {
  for (Index i = 0; i < n; ++i) {
    y[i] = f(x[i]);
  }
}

template <class T, class F>
GESSO_SIMD void zip_block(const T* a, const T* b, T* y, Index n, F f) {
  for (Index i = 0; i < n; ++i) {
    y[i] = f(a[i], b[i]);
  }
}

}  // namespace detail

/// y[i] = f(x[i]) for 0 <= i < n; y may be x.
template <class T, class F>
void map_elements(const T* x, T* y, Index n, F f) {
  parallel_for(n, kElementwiseBlock,
               [&](Index begin, Index end) { detail::map_block(x + begin, y + begin, end - begin, f); });
}

/// y[i] = f(a[i], b[i]) for 0 <= i < n; y may be a or b.
template <class T, class F>
void zip_elements(const T* a, const T* b, T* y, Index n, F f) {
  parallel_for(n, kElementwiseBlock, [&](Index begin, Index end) {
    detail::zip_block(a + begin, b + begin, y + begin, end - begin, f);
  });
}

}  // namespace gesso
