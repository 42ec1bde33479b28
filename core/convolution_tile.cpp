#include "gesso/core/convolution_tile.h"

#include <algorithm>
#include <array>
#include <utility>

#include "gesso/core/cpu.h"

namespace gesso {
namespace {

#define GESSO_INLINE inline __attribute__((always_inline))

// `bytes` of T in one vector register, and the same where it lies in memory at any address.
template <class T, int bytes>
struct Simd {
  typedef T Vector __attribute__((vector_size(bytes)));
  typedef T Unaligned __attribute__((vector_size(bytes), aligned(alignof(T)), may_alias));

  static GESSO_INLINE Vector load(const T* x) { return *reinterpret_cast<const Unaligned*>(x); }
  static GESSO_INLINE void store(T* x, Vector v) { *reinterpret_cast<Unaligned*>(x) = v; }
};

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
GESSO_INLINE void correlate(std::int64_t taps, const T* w, const std::int64_t* offset, const T* bias,
                            const T* const* x, T* const* y, std::int64_t y_stride) {
  using S = Simd<T, bytes>;
  typename S::Vector sum[channels][vectors];
  const T* source[vectors];
#pragma GCC unroll 16
  for (int r = 0; r < vectors; ++r) {
    source[r] = x[r];
#pragma GCC unroll 16
    for (int c = 0; c < channels; ++c) sum[c][r] = typename S::Vector{} + bias[c];
  }
  for (std::int64_t k = 0; k < taps; ++k, w += channels) {
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
GESSO_INLINE void product_sum(std::int64_t length, const T* dy, std::int64_t dy_stride, const T* x,
                              const std::int64_t* offset, T* total, std::int64_t total_stride) {
  using S = Simd<T, bytes>;
  constexpr int lanes = bytes / sizeof(T);
  typename S::Vector sum[channels][taps] = {};
  const T* source[taps];
#pragma GCC unroll 16
  for (int k = 0; k < taps; ++k) source[k] = x + offset[k];
  for (std::int64_t p = 0; p < length; p += lanes) {
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

// An instruction set: how its registers are best used, and functions compiled for it.
//   most_channels  of one tile of correlate() and product_sum()
//   sums           registers for sums; the others hold what is being multiplied
#define GESSO_INSTRUCTION_SET(Name, attribute, register_bytes, sum_registers, correlate_channels,   \
                              product_channels)                                                     \
  struct Name {                                                                                     \
    static constexpr int bytes = register_bytes;                                                    \
    static constexpr int sums = sum_registers;                                                      \
    static constexpr int most_correlate_channels = correlate_channels;                              \
    static constexpr int most_product_channels = product_channels;                                  \
    template <class T, int channels, int vectors>                                                   \
    attribute static void run_correlate(std::int64_t taps, const T* w, const std::int64_t* offset,  \
                                        const T* bias, const T* const* x, T* const* y,              \
                                        std::int64_t y_stride) {                                    \
      correlate<T, bytes, channels, vectors>(taps, w, offset, bias, x, y, y_stride);                \
    }                                                                                               \
    template <class T, int channels, int taps>                                                      \
    attribute static void run_product_sum(std::int64_t length, const T* dy, std::int64_t dy_stride, \
                                          const T* x, const std::int64_t* offset, T* total,         \
                                          std::int64_t total_stride) {                              \
      product_sum<T, bytes, channels, taps>(length, dy, dy_stride, x, offset, total, total_stride); \
    }                                                                                               \
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
CorrelateKernel<T> correlate_kernel_for(std::int64_t channels) {
  static constexpr auto table =
      correlate_table<T, Isa>(std::make_integer_sequence<int, Isa::most_correlate_channels>());
  return table[std::min<std::int64_t>(channels, table.size()) - 1];
}

template <class T, class Isa>
ProductSumKernel<T> product_sum_kernel_for(std::int64_t channels) {
  static constexpr auto table =
      product_sum_table<T, Isa>(std::make_integer_sequence<int, Isa::most_product_channels>());
  return table[std::min<std::int64_t>(channels, table.size()) - 1];
}

}  // namespace

template <class T>
CorrelateKernel<T> correlate_kernel(std::int64_t channels) {
#if defined(__x86_64__)
  static const bool avx512 = cpu_has_avx512(), avx2 = cpu_has_avx2();
  if (avx512) {
    return correlate_kernel_for<T, Avx512>(channels);
  }
  if (avx2) {
    return correlate_kernel_for<T, Avx2>(channels);
  }
#endif
  return correlate_kernel_for<T, Baseline>(channels);
}

template <class T>
ProductSumKernel<T> product_sum_kernel(std::int64_t channels) {
#if defined(__x86_64__)
  static const bool avx512 = cpu_has_avx512(), avx2 = cpu_has_avx2();
  if (avx512) {
    return product_sum_kernel_for<T, Avx512>(channels);
  }
  if (avx2) {
    return product_sum_kernel_for<T, Avx2>(channels);
  }
#endif
  return product_sum_kernel_for<T, Baseline>(channels);
}

template CorrelateKernel<float> correlate_kernel(std::int64_t);
template CorrelateKernel<double> correlate_kernel(std::int64_t);
template ProductSumKernel<float> product_sum_kernel(std::int64_t);
template ProductSumKernel<double> product_sum_kernel(std::int64_t);

}  // namespace gesso
