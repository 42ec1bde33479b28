#include "gesso/core/convolution/direct/tile.h"

#include <algorithm>
#include <array>
#include <utility>

#include "gesso/core/simd/cpu.h"
#include "gesso/core/simd/vector.h"

namespace gesso {
namespace {

// Makes the compiler load `v` once and keep it: left alone, it reads it from memory again for each use, and
// loads that cross a cache line cost more than the products they feed.
template <class Vector>
GESSO_INLINE void keep_in_register(Vector& v) {
#if defined(__x86_64__)
  asm("" : "+v"(v));
#else
  (void)v;
#endif
}

// The sum of a register's numbers, halving it again and again.
template <class T, int bytes>
GESSO_INLINE T sum_of_lanes(typename Simd<T, bytes>::Vector v) {
  constexpr int half = bytes / 2 / sizeof(T);
  if constexpr (half == 1) {
    return v[0] + v[1];
  } else {
    return [&]<int... l>(std::integer_sequence<int, l...>) __attribute__((always_inline)) {
      return sum_of_lanes<T, bytes / 2>(__builtin_shufflevector(v, v, l...) +
                                        __builtin_shufflevector(v, v, (half + l)...));
    }
    (std::make_integer_sequence<int, half>());
  }
}

template <class T, int bytes, int channels, int vectors>
GESSO_INLINE void correlate(Index taps, const T* w, const Index* offset, const T* bias, const T* const* x,
                            T* const* y, Index y_stride) {
  using S = Simd<T, bytes>;
  typename S::Vector sum[channels][vectors];
  const T* source[vectors];
#pragma GCC unroll 16
  for (int r = 0; r < vectors; ++r) {
    source[r] = x[r];
#pragma GCC unroll 16
    for (int c = 0; c < channels; ++c) sum[c][r] = typename S::Vector{} + bias[c];
  }
  for (Index k = 0; k < taps; ++k, w += channels) {
    typename S::Vector v[vectors];
#pragma GCC unroll 16
    for (int r = 0; r < vectors; ++r) v[r] = S::load(source[r] + offset[k]);
#pragma GCC unroll 16
    for (int c = 0; c < channels; ++c) {
#pragma GCC unroll 16
      for (int r = 0; r < vectors; ++r) sum[c][r] += w[c] * v[r];
    }
  }
#pragma GCC unroll 16
  for (int c = 0; c < channels; ++c) {
#pragma GCC unroll 16
    for (int r = 0; r < vectors; ++r) S::store(y[r] + c * y_stride, sum[c][r]);
  }
}

template <class T, int bytes, int channels, int taps>
GESSO_INLINE void product_sum(Index length, const T* dy, Index dy_stride, const T* x, const Index* offset,
                              T* total, Index total_stride) {
  using S = Simd<T, bytes>;
  constexpr int lanes = bytes / sizeof(T);
  typename S::Vector sum[channels][taps] = {};
  const T* source[taps];
#pragma GCC unroll 16
  for (int k = 0; k < taps; ++k) source[k] = x + offset[k];
  for (Index p = 0; p < length; p += lanes) {
    typename S::Vector g[channels];
#pragma GCC unroll 16
    for (int c = 0; c < channels; ++c) g[c] = S::load(dy + c * dy_stride + p);
#pragma GCC unroll 16
    for (int k = 0; k < taps; ++k) {
      typename S::Vector v = S::load(source[k] + p);
      keep_in_register(v);
#pragma GCC unroll 16
      for (int c = 0; c < channels; ++c) sum[c][k] += g[c] * v;
    }
  }
#pragma GCC unroll 16
  for (int c = 0; c < channels; ++c) {
#pragma GCC unroll 16
    for (int k = 0; k < taps; ++k) {
      total[c * total_stride + k] += sum_of_lanes<T, bytes>(sum[c][k]);
    }
  }
}

template <class T, int bytes, int vectors, int taps>
GESSO_INLINE void outer_product(Index rows, Index columns, const T* dy, Index dy_stride, const T* x,
                                Index x_row, Index x_step, const Index* offset, T* total,
                                Index total_stride) {
  using S = Simd<T, bytes>;
  typename S::Vector sum[taps][vectors] = {};
  for (Index i = 0; i < rows; ++i, x += x_row) {
    const T* source[taps];
#pragma GCC unroll 32
    for (int k = 0; k < taps; ++k) source[k] = x + offset[k];
    for (Index j = 0; j < columns; ++j, dy += dy_stride) {
      typename S::Vector g[vectors];
#pragma GCC unroll 2
      for (int r = 0; r < vectors; ++r) g[r] = S::load(dy + r * S::lanes);
#pragma GCC unroll 32
      for (int k = 0; k < taps; ++k) {
        const T value = source[k][j * x_step];
#pragma GCC unroll 2
        for (int r = 0; r < vectors; ++r) sum[k][r] += value * g[r];
      }
    }
  }
#pragma GCC unroll 32
  for (int k = 0; k < taps; ++k) {
#pragma GCC unroll 2
    for (int r = 0; r < vectors; ++r) {
      T* to = total + k * total_stride + r * S::lanes;
      S::store(to, S::load(to) + sum[k][r]);
    }
  }
}

// Lanes of a or b, by turns of `step`, that two rows exchange in the transposition of a square.
template <int lanes, int step, bool upper>
struct Exchanged {
  static constexpr int of(int l) {
    return upper ? ((l & step) != 0 ? lanes + l : l + step) : ((l & step) != 0 ? lanes + l - step : l);
  }
};

template <class T, int bytes, int step = 1>
GESSO_INLINE void transpose(typename Simd<T, bytes>::Vector* v) {
  constexpr int lanes = Simd<T, bytes>::lanes;
  if constexpr (step < lanes) {
#pragma GCC unroll 16
    for (int i = 0; i < lanes; ++i) {
      if ((i & step) == 0) {
        const auto a = v[i], b = v[i + step];
        v[i] = shuffle<lanes>(a, b, Exchanged<lanes, step, false>());
        v[i + step] = shuffle<lanes>(a, b, Exchanged<lanes, step, true>());
      }
    }
    transpose<T, bytes, 2 * step>(v);
  }
}

// An instruction set: how its registers are best used, and functions compiled for it.
//   most_channels  of one tile of correlate() and product_sum()
//   sums           registers for sums; the others hold what is being multiplied
#define GESSO_INSTRUCTION_SET(Name, attribute, register_bytes, sum_registers, correlate_channels,           \
                              product_channels)                                                             \
  struct Name {                                                                                             \
    static constexpr int bytes = register_bytes;                                                            \
    static constexpr int sums = sum_registers;                                                              \
    static constexpr int most_correlate_channels = correlate_channels;                                      \
    static constexpr int most_product_channels = product_channels;                                          \
    template <class T, int channels, int vectors>                                                           \
    attribute static void run_correlate(Index taps, const T* w, const Index* offset, const T* bias,         \
                                        const T* const* x, T* const* y, Index y_stride) {                   \
      correlate<T, bytes, channels, vectors>(taps, w, offset, bias, x, y, y_stride);                        \
    }                                                                                                       \
    template <class T, int channels, int taps>                                                              \
    attribute static void run_product_sum(Index length, const T* dy, Index dy_stride, const T* x,           \
                                          const Index* offset, T* total, Index total_stride) {              \
      product_sum<T, bytes, channels, taps>(length, dy, dy_stride, x, offset, total, total_stride);         \
    }                                                                                                       \
    template <class T, int vectors, int taps>                                                               \
    attribute static void run_outer_product(Index rows, Index columns, const T* dy, Index dy_stride,        \
                                            const T* x, Index x_row, Index x_step, const Index* offset,     \
                                            T* total, Index total_stride) {                                 \
      outer_product<T, bytes, vectors, taps>(rows, columns, dy, dy_stride, x, x_row, x_step, offset, total, \
                                             total_stride);                                                 \
    }                                                                                                       \
    template <class T>                                                                                      \
    attribute static void run_transpose(const T* x, Index x_stride, T* y, Index y_stride) {                 \
      using S = Simd<T, bytes>;                                                                             \
      typename S::Vector v[S::lanes];                                                                       \
      for (int i = 0; i < S::lanes; ++i) v[i] = S::load(x + i * x_stride);                                  \
      transpose<T, bytes>(v);                                                                               \
      for (int i = 0; i < S::lanes; ++i) S::store(y + i * y_stride, v[i]);                                  \
    }                                                                                                       \
  }

#if defined(__x86_64__)
GESSO_INSTRUCTION_SET(Avx512, __attribute__((target("avx512f,avx512cd,avx512bw,avx512dq,avx512vl"))), 64, 24,
                      8, 4);
GESSO_INSTRUCTION_SET(Avx2, __attribute__((target("avx2,fma"))), 32, 12, 6, 3);
#endif
GESSO_INSTRUCTION_SET(Baseline, , 16, 12, 6, 3);

// The kernels of one instruction set for 1, 2, ... channels.
template <class T, class Isa, int... index>
constexpr auto correlate_table(std::integer_sequence<int, index...>) {
  constexpr auto vectors = [](int channels) {
    return std::min(Isa::sums / channels, CorrelateKernel<T>::most_vectors);
  };
  return std::array{
      CorrelateKernel<T>{index + 1, vectors(index + 1), Isa::bytes / int{sizeof(T)},
                         Isa::template run_correlate<T, index + 1, vectors(index + 1)>,
                         Isa::template run_correlate<T, index + 1, (vectors(index + 1) + 1) / 2>}...};
}

template <class T, class Isa, int... index>
constexpr auto product_sum_table(std::integer_sequence<int, index...>) {
  constexpr auto taps = [](int channels) {
    return std::min(Isa::sums / channels, ProductSumKernel<T>::most_taps);
  };
  return std::array{ProductSumKernel<T>{index + 1, taps(index + 1), Isa::bytes / int{sizeof(T)},
                                        Isa::template run_product_sum<T, index + 1, taps(index + 1)>}...};
}

template <class T, class Isa>
CorrelateKernel<T> correlate_kernel_for(Index channels) {
  static constexpr auto table =
      correlate_table<T, Isa>(std::make_integer_sequence<int, Isa::most_correlate_channels>());
  return table[std::min<Index>(channels, table.size()) - 1];
}

template <class T, class Isa>
ProductSumKernel<T> product_sum_kernel_for(Index channels) {
  static constexpr auto table =
      product_sum_table<T, Isa>(std::make_integer_sequence<int, Isa::most_product_channels>());
  return table[std::min<Index>(channels, table.size()) - 1];
}

template <class T, class Isa, int vectors>
constexpr OuterProductKernel<T> outer_product_kernel_of() {
  constexpr int lanes = Isa::bytes / int{sizeof(T)}, most = Isa::sums / vectors;
  return {lanes,
          vectors * lanes,
          {{most, Isa::template run_outer_product<T, vectors, most>},
           {most / 3, Isa::template run_outer_product<T, vectors, most / 3>},
           {most / 6, Isa::template run_outer_product<T, vectors, most / 6>},
           {1, Isa::template run_outer_product<T, vectors, 1>}},
          Isa::template run_transpose<T>};
}

template <class T, class Isa>
OuterProductKernel<T> outer_product_kernel_for(Index channels) {
  constexpr Index lanes = Isa::bytes / sizeof(T);
  return channels <= lanes ? outer_product_kernel_of<T, Isa, 1>() : outer_product_kernel_of<T, Isa, 2>();
}

// f with the best instruction set that the CPU has as its template argument.
template <class F>
auto with_instruction_set(F f) {
#if defined(__x86_64__)
  static const bool avx512 = cpu_has_avx512(), avx2 = cpu_has_avx2();
  if (avx512) {
    return f.template operator()<Avx512>();
  }
  if (avx2) {
    return f.template operator()<Avx2>();
  }
#endif
  return f.template operator()<Baseline>();
}

}  // namespace

template <class T>
CorrelateKernel<T> correlate_kernel(Index channels) {
  return with_instruction_set([&]<class Isa>() { return correlate_kernel_for<T, Isa>(channels); });
}

template <class T>
ProductSumKernel<T> product_sum_kernel(Index channels) {
  return with_instruction_set([&]<class Isa>() { return product_sum_kernel_for<T, Isa>(channels); });
}

template <class T>
OuterProductKernel<T> outer_product_kernel(Index channels) {
  return with_instruction_set([&]<class Isa>() { return outer_product_kernel_for<T, Isa>(channels); });
}

template CorrelateKernel<float> correlate_kernel(Index);
template CorrelateKernel<double> correlate_kernel(Index);
template ProductSumKernel<float> product_sum_kernel(Index);
template ProductSumKernel<double> product_sum_kernel(Index);
template OuterProductKernel<float> outer_product_kernel(Index);
template OuterProductKernel<double> outer_product_kernel(Index);

}  // namespace gesso
