// Writing past the caches. A result that is larger than the last-level cache is gone from it before anyone
// reads it; written the usual way, it is first read from memory, for nothing, and pushes out what the loop
// still needs.
#pragma once

#include <cstdint>

#include "gesso/core/index.h"
#include "gesso/core/simd/vector.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace gesso {

/// A result of this many bytes or more is better written past the caches (last-level caches have 8 to 32 MiB
/// for a process).
inline constexpr Index kStreamBytes = 16 << 20;

namespace simd {

/// Stores a vector past the caches where the CPU can, at an address that is a multiple of its size. Others
/// see it after finish_streams().
#if defined(__x86_64__)
__attribute__((target("avx512f"))) inline void stream(float* x, Vector<float, 16> v) {
  _mm512_stream_ps(x, v);
}
__attribute__((target("avx"))) inline void stream(float* x, Vector<float, 8> v) { _mm256_stream_ps(x, v); }
inline void stream(float* x, Vector<float, 4> v) { _mm_stream_ps(x, v); }
inline void stream(double* x, Vector<double, 2> v) { _mm_stream_pd(x, v); }
#else
template <class T, class V>
GESSO_INLINE void stream(T* x, V v) {
  store(x, v);
}
#endif

/// Makes what this thread wrote past the caches visible to others.
inline void finish_streams() {
#if defined(__x86_64__)
  _mm_sfence();
#endif
}

}  // namespace simd

/// y[i] = value(i) for begin <= i < end, past the caches where the CPU can. `value` must be inlined.
template <class T, class Value>
GESSO_INLINE void stream_elements(T* y, Index begin, Index end, Value value) {
  constexpr int kBlock = 256 / sizeof(T);  // four cache lines, computed in the L1 cache and then sent off
  constexpr int kLanes = 16 / sizeof(T);
  Index i = begin;
  for (; i < end && reinterpret_cast<std::uintptr_t>(y + i) % 64 != 0; ++i) {
    y[i] = value(i);
  }
  for (; i + kBlock <= end; i += kBlock) {
    alignas(64) T block[kBlock];
    for (int k = 0; k < kBlock; ++k) {
      block[k] = value(i + k);
    }
    for (int k = 0; k < kBlock; k += kLanes) {
      simd::stream(y + i + k, simd::load<kLanes>(block + k));
    }
  }
  simd::finish_streams();
  for (; i < end; ++i) {
    y[i] = value(i);
  }
}

}  // namespace gesso
