#include "gesso/core/convolution/upsampled.h"

#include <algorithm>

#include "gesso/core/kernels/elementwise.h"
#include "gesso/core/parallel.h"
#include "gesso/core/simd/clones.h"

namespace gesso {
namespace {

constexpr Index kTaps = 9;

// Calls f(tap of a phase's kernel, tap of w that is added there).
template <class F>
void for_each_tap(Index phase, F f) {
  const Index a = phase / 2, b = phase % 2;
  for (Index u = 0; u < 3; ++u) {
    for (Index v = 0; v < 3; ++v) f((a + u + 1) / 2 * 3 + (b + v + 1) / 2, u * 3 + v);
  }
}

template <class T>
GESSO_SIMD void join_row(const T* __restrict even, const T* __restrict odd, Index count, T* __restrict to) {
  for (Index j = 0; j < count; ++j) {
    to[2 * j] = even[j];
    to[2 * j + 1] = odd[j];
  }
}

template <class T>
GESSO_SIMD void split_row(const T* __restrict from, Index count, T* __restrict even, T* __restrict odd) {
  for (Index j = 0; j < count; ++j) {
    even[j] = from[2 * j];
    odd[j] = from[2 * j + 1];
  }
}

// Calls f(offset of a row of the large pictures, those of the rows of phases of which it consists).
template <class F>
void for_each_row(Index batch, Index channels, Size2d size, F f) {
  const Index rows = 2 * size.height, phase_size = channels * size.height * size.width;
  parallel_for(batch * channels * rows, std::max<Index>(1, kElementwiseBlock / (2 * size.width)),
               [&](Index begin, Index end) {
                 for (Index r = begin; r < end; ++r) {
                   const Index plane = r / rows, row = r % rows;
                   const Index n = plane / channels, c = plane % channels;
                   const Index even =
                       (4 * n + row % 2 * 2) * phase_size + (c * size.height + row / 2) * size.width;
                   f(r * 2 * size.width, even, even + phase_size);
                 }
               });
}

}  // namespace

template <class T>
void phase_kernels(Index out, Index in, const T* w, T* k) {
  const Index kernels = out * in;
  std::fill_n(k, 4 * kernels * kTaps, T{0});
  for (Index phase = 0; phase < 4; ++phase) {
    for (Index i = 0; i < kernels; ++i) {
      T* const to = k + (phase * kernels + i) * kTaps;
      for_each_tap(phase, [&](Index tap, Index from) { to[tap] += w[i * kTaps + from]; });
    }
  }
}

template <class T>
void phase_kernels_gradient(Index out, Index in, const T* dk, T* dw) {
  const Index kernels = out * in;
  std::fill_n(dw, kernels * kTaps, T{0});
  for (Index phase = 0; phase < 4; ++phase) {
    for (Index i = 0; i < kernels; ++i) {
      const T* const from = dk + (phase * kernels + i) * kTaps;
      for_each_tap(phase, [&](Index tap, Index to) { dw[i * kTaps + to] += from[tap]; });
    }
  }
}

template <class T>
void join_phases(Index batch, Index channels, Size2d size, const T* phases, T* y) {
  for_each_row(batch, channels, size, [&](Index row, Index even, Index odd) {
    join_row(phases + even, phases + odd, size.width, y + row);
  });
}

template <class T>
void split_phases(Index batch, Index channels, Size2d size, const T* y, T* phases) {
  for_each_row(batch, channels, size, [&](Index row, Index even, Index odd) {
    split_row(y + row, size.width, phases + even, phases + odd);
  });
}

#define GESSO_INSTANTIATE(T)                                        \
  template void phase_kernels(Index, Index, const T*, T*);          \
  template void phase_kernels_gradient(Index, Index, const T*, T*); \
  template void join_phases(Index, Index, Size2d, const T*, T*);    \
  template void split_phases(Index, Index, Size2d, const T*, T*);
GESSO_INSTANTIATE(float)
GESSO_INSTANTIATE(double)
#undef GESSO_INSTANTIATE

}  // namespace gesso
