// Writing past the caches. A result that is larger than the last cache is gone from it before anyone reads
// it; written the usual way it is first read from memory, for nothing, and pushes out what the loop still
// needs.
#pragma once

#include <cstdint>

#include "gesso/core/index.h"
#include "gesso/core/simd/ordered_sum.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace gesso {

/// From so many bytes on a result is better written past the caches (last caches have 8 to 32 MiB for a
/// process).
inline constexpr Index kStreamBytes = 16 << 20;

/// y[i] = value(i) for begin <= i < end, past the caches where the CPU can. `value` must be inlined.
template <class T, class Value>
GESSO_INLINE void stream_elements(T* y, Index begin, Index end, Value value) {
  Index i = begin;
#if defined(__SSE2__)
  constexpr int kBlock = 256 / sizeof(T);  // four cache lines, computed in the L1 cache and then sent off
  for (; i < end && reinterpret_cast<std::uintptr_t>(y + i) % 64 != 0; ++i) {
    y[i] = value(i);
  }
  for (; i + kBlock <= end; i += kBlock) {
    alignas(64) T block[kBlock];
    for (int k = 0; k < kBlock; ++k) {
      block[k] = value(i + k);
    }
    for (int k = 0; k < kBlock; k += 16 / sizeof(T)) {
      _mm_stream_si128(reinterpret_cast<__m128i*>(y + i + k),
                       _mm_load_si128(reinterpret_cast<__m128i*>(block + k)));
    }
  }
  _mm_sfence();
#endif
  for (; i < end; ++i) {
    y[i] = value(i);
  }
}

}  // namespace gesso
