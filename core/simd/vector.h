// Vector registers in portable source, for kernels that are compiled once for each instruction set: templates
// over the bytes of a register, which the compiler's vector extensions turn into that set's instructions when
// they are inlined into a function compiled for it (see core/convolution/winograd/kernels.cpp).
#pragma once

#include <utility>

#include "gesso/core/index.h"

#define GESSO_INLINE inline __attribute__((always_inline))

namespace gesso {

/// `bytes` of T in one vector register, and the same where it lies in memory at any address.
template <class T, int bytes>
struct Simd {
  static constexpr int lanes = bytes / int{sizeof(T)};
  typedef T Vector __attribute__((vector_size(bytes)));
  typedef T Unaligned __attribute__((vector_size(bytes), aligned(alignof(T)), may_alias));

  static GESSO_INLINE Vector load(const T* x) { return *reinterpret_cast<const Unaligned*>(x); }
  static GESSO_INLINE void store(T* x, Vector v) { *reinterpret_cast<Unaligned*>(x) = v; }
};

/// Four lanes, whatever the instruction set.
using Quad = Simd<float, 16>;

/// Lane l of the result is lane `lane(l)` of a and b, one after the other.
template <int lanes, class Lane, class Vector>
GESSO_INLINE auto shuffle(Vector a, Vector b, Lane lane) {
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
    return Quad::load(x);
  } else {
    return shuffle<lanes>(load_quads<lanes / 2>(x, step), load_quads<lanes / 2>(x + lanes / 8 * step, step),
                          Concatenated());
  }
}

template <int lanes, class Vector>
GESSO_INLINE void store_quads(float* x, Index step, Vector v) {
  if constexpr (lanes == 4) {
    Quad::store(x, v);
  } else {
    [&]<int... l>(std::integer_sequence<int, l...>) __attribute__((always_inline)) {
      store_quads<lanes / 2>(x, step, __builtin_shufflevector(v, v, l...));
      store_quads<lanes / 2>(x + lanes / 8 * step, step, __builtin_shufflevector(v, v, (l + lanes / 2)...));
    }
    (std::make_integer_sequence<int, lanes / 2>());
  }
}

// Transposes every 4 x 4 numbers that four vectors hold in the same four lanes.
template <int lanes, class Vector>
GESSO_INLINE void transpose_quads(Vector (&v)[4]) {
  const Vector a = shuffle<lanes>(v[0], v[1], Interleaved<lanes, false>());
  const Vector b = shuffle<lanes>(v[0], v[1], Interleaved<lanes, true>());
  const Vector c = shuffle<lanes>(v[2], v[3], Interleaved<lanes, false>());
  const Vector d = shuffle<lanes>(v[2], v[3], Interleaved<lanes, true>());
  v[0] = shuffle<lanes>(a, c, PairsInterleaved<lanes, false>());
  v[1] = shuffle<lanes>(a, c, PairsInterleaved<lanes, true>());
  v[2] = shuffle<lanes>(b, d, PairsInterleaved<lanes, false>());
  v[3] = shuffle<lanes>(b, d, PairsInterleaved<lanes, true>());
}

}  // namespace detail

/// columns[k][l] = x[l * stride + k] for k < 4 and all lanes l: four columns of a matrix of as many rows as
/// there are lanes.
template <int bytes>
GESSO_INLINE void load_columns(const float* x, Index stride,
                               typename Simd<float, bytes>::Vector (&columns)[4]) {
  constexpr int lanes = Simd<float, bytes>::lanes;
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) columns[i] = detail::load_quads<lanes>(x + i * stride, 4 * stride);
  detail::transpose_quads<lanes>(columns);
}

/// x[l * stride + k] = columns[k][l]: the inverse of load_columns.
template <int bytes>
GESSO_INLINE void store_columns(float* x, Index stride, typename Simd<float, bytes>::Vector (&columns)[4]) {
  constexpr int lanes = Simd<float, bytes>::lanes;
  detail::transpose_quads<lanes>(columns);
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) detail::store_quads<lanes>(x + i * stride, 4 * stride, columns[i]);
}

}  // namespace gesso
