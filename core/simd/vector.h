// Vector registers in portable source: the vector extension of GCC and Clang, under one name. The compiler
// turns a Vector into registers of the instruction set that it compiles a function for, so everything here is
// inlined into kernels, which core/simd/for_each_isa.h compiles once for each.
#pragma once

#include <utility>

#include "gesso/core/index.h"

#define GESSO_INLINE inline __attribute__((always_inline))

namespace gesso::simd {

namespace detail {
template <class T, int lanes>
struct VectorTypes {
  typedef T Aligned __attribute__((vector_size(lanes * sizeof(T))));
  typedef T Anywhere __attribute__((vector_size(lanes * sizeof(T)), aligned(alignof(T)), may_alias));
};
}  // namespace detail

/// `lanes` numbers side by side. Arithmetic and comparisons work lane by lane, also with one number for all
/// lanes; v[l] is a lane, and (a < b ? a : b) chooses for each.
template <class T, int lanes>
using Vector = typename detail::VectorTypes<T, lanes>::Aligned;

/// The numbers from x on, at any address.
template <int lanes, class T>
GESSO_INLINE Vector<T, lanes> load(const T* x) {
  return *reinterpret_cast<const typename detail::VectorTypes<T, lanes>::Anywhere*>(x);
}

template <class T, class V>
GESSO_INLINE void store(T* x, V v) {
  *reinterpret_cast<typename detail::VectorTypes<T, sizeof(V) / sizeof(T)>::Anywhere*>(x) = v;
}

/// Makes the compiler load `v` once and keep it: left alone, it may read it from memory again for each use,
/// and loads that cross a cache line cost more than the products they feed.
template <class V>
GESSO_INLINE void keep_in_register(V& v) {
#if defined(__x86_64__)
  asm("" : "+v"(v));
#else
  (void)v;
#endif
}

/// Lane l of the result is lane `lane(l)` of a and b laid end to end.
template <int lanes, class Lane, class V>
GESSO_INLINE auto shuffle(V a, V b, Lane lane) {
  return [&]<int... l>(std::integer_sequence<int, l...>) __attribute__((always_inline)) {
    return __builtin_shufflevector(a, b, decltype(lane)::of(l)...);
  }
  (std::make_integer_sequence<int, lanes>());
}

namespace detail {

struct Concatenated {
  static constexpr int of(int l) { return l; }
};

// In every four lanes: a0 b0 a1 b1, a2 b2 a3 b3, a0 a1 b0 b1, a2 a3 b2 b3.
template <int lanes, bool upper>
struct Interleaved {
  static constexpr int of(int l) { return l / 4 * 4 + l % 4 / 2 + (upper ? 2 : 0) + (l % 2 ? lanes : 0); }
};
template <int lanes, bool upper>
struct PairsInterleaved {
  static constexpr int of(int l) { return l / 4 * 4 + l % 2 + (upper ? 2 : 0) + (l % 4 / 2 ? lanes : 0); }
};

// Four lanes from each of x, x + step, x + 2 step, ..., as one vector.
template <int lanes>
GESSO_INLINE auto load_quads(const float* x, Index step) {
  if constexpr (lanes == 4) {
    return load<4>(x);
  } else {
    return shuffle<lanes>(load_quads<lanes / 2>(x, step), load_quads<lanes / 2>(x + lanes / 8 * step, step),
                          Concatenated());
  }
}

template <int lanes, class V>
GESSO_INLINE void store_quads(float* x, Index step, V v) {
  if constexpr (lanes == 4) {
    store(x, v);
  } else {
    [&]<int... l>(std::integer_sequence<int, l...>) __attribute__((always_inline)) {
      store_quads<lanes / 2>(x, step, __builtin_shufflevector(v, v, l...));
      store_quads<lanes / 2>(x + lanes / 8 * step, step, __builtin_shufflevector(v, v, (l + lanes / 2)...));
    }
    (std::make_integer_sequence<int, lanes / 2>());
  }
}

// Transposes every 4 x 4 numbers that four vectors hold in the same four lanes.
template <int lanes, class V>
GESSO_INLINE void transpose_quads(V (&v)[4]) {
  const V a = shuffle<lanes>(v[0], v[1], Interleaved<lanes, false>());
  const V b = shuffle<lanes>(v[0], v[1], Interleaved<lanes, true>());
  const V c = shuffle<lanes>(v[2], v[3], Interleaved<lanes, false>());
  const V d = shuffle<lanes>(v[2], v[3], Interleaved<lanes, true>());
  v[0] = shuffle<lanes>(a, c, PairsInterleaved<lanes, false>());
  v[1] = shuffle<lanes>(a, c, PairsInterleaved<lanes, true>());
  v[2] = shuffle<lanes>(b, d, PairsInterleaved<lanes, false>());
  v[3] = shuffle<lanes>(b, d, PairsInterleaved<lanes, true>());
}

}  // namespace detail

/// columns[k][l] = x[l * stride + k] for k < 4 and all lanes l: four columns of a matrix with as many rows as
/// there are lanes.
template <int lanes>
GESSO_INLINE void load_columns(const float* x, Index stride, Vector<float, lanes> (&columns)[4]) {
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) columns[i] = detail::load_quads<lanes>(x + i * stride, 4 * stride);
  detail::transpose_quads<lanes>(columns);
}

/// x[l * stride + k] = columns[k][l]: the inverse of load_columns.
template <int lanes>
GESSO_INLINE void store_columns(float* x, Index stride, Vector<float, lanes> (&columns)[4]) {
  detail::transpose_quads<lanes>(columns);
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) detail::store_quads<lanes>(x + i * stride, 4 * stride, columns[i]);
}

}  // namespace gesso::simd
