// The loops of core/convolution/direct/tile.h, compiled once for each instruction set by tile.cpp
// (core/simd/for_each_isa.h).

namespace gesso {
namespace {
namespace GESSO_ISA {

using namespace simd;

template <class T>
constexpr int kLanes = GESSO_REGISTER_BYTES / int{sizeof(T)};
template <class T>
using Register = Vector<T, kLanes<T>>;

// The sum of a vector's numbers, halving it again and again.
template <class T, int lanes>
GESSO_INLINE T sum_of_lanes(Vector<T, lanes> v) {
  constexpr int half = lanes / 2;
  if constexpr (half == 1) {
    return v[0] + v[1];
  } else {
    return [&]<int... l>(std::integer_sequence<int, l...>) __attribute__((always_inline)) {
      return sum_of_lanes<T, half>(__builtin_shufflevector(v, v, l...) +
                                   __builtin_shufflevector(v, v, (half + l)...));
    }
    (std::make_integer_sequence<int, half>());
  }
}

template <class T, int channels, int vectors>
void correlate(Index taps, const T* w, const Index* offset, const T* bias, const T* const* x, T* const* y,
               Index y_stride) {
  using V = Register<T>;
  V sum[channels][vectors];
  const T* source[vectors];
#pragma GCC unroll 16
  for (int r = 0; r < vectors; ++r) {
    source[r] = x[r];
#pragma GCC unroll 16
    for (int c = 0; c < channels; ++c) sum[c][r] = V{} + bias[c];
  }
  for (Index k = 0; k < taps; ++k, w += channels) {
    V v[vectors];
#pragma GCC unroll 16
    for (int r = 0; r < vectors; ++r) v[r] = load<kLanes<T>>(source[r] + offset[k]);
#pragma GCC unroll 16
    for (int c = 0; c < channels; ++c) {
#pragma GCC unroll 16
      for (int r = 0; r < vectors; ++r) sum[c][r] += w[c] * v[r];
    }
  }
#pragma GCC unroll 16
  for (int c = 0; c < channels; ++c) {
#pragma GCC unroll 16
    for (int r = 0; r < vectors; ++r) store(y[r] + c * y_stride, sum[c][r]);
  }
}

template <class T, int channels, int taps>
void product_sum(Index length, const T* dy, Index dy_stride, const T* x, const Index* offset, T* total,
                 Index total_stride) {
  using V = Register<T>;
  V sum[channels][taps] = {};
  const T* source[taps];
#pragma GCC unroll 16
  for (int k = 0; k < taps; ++k) source[k] = x + offset[k];
  for (Index p = 0; p < length; p += kLanes<T>) {
    V g[channels];
#pragma GCC unroll 16
    for (int c = 0; c < channels; ++c) g[c] = load<kLanes<T>>(dy + c * dy_stride + p);
#pragma GCC unroll 16
    for (int k = 0; k < taps; ++k) {
      V v = load<kLanes<T>>(source[k] + p);
      keep_in_register(v);
#pragma GCC unroll 16
      for (int c = 0; c < channels; ++c) sum[c][k] += g[c] * v;
    }
  }
#pragma GCC unroll 16
  for (int c = 0; c < channels; ++c) {
#pragma GCC unroll 16
    for (int k = 0; k < taps; ++k) {
      total[c * total_stride + k] += sum_of_lanes<T, kLanes<T>>(sum[c][k]);
    }
  }
}

template <class T, int vectors, int taps>
void outer_product(Index rows, Index columns, const T* dy, Index dy_stride, const T* x, Index x_row,
                   Index x_step, const Index* offset, T* total, Index total_stride) {
  using V = Register<T>;
  V sum[taps][vectors] = {};
  for (Index i = 0; i < rows; ++i, x += x_row) {
    const T* source[taps];
#pragma GCC unroll 32
    for (int k = 0; k < taps; ++k) source[k] = x + offset[k];
    for (Index j = 0; j < columns; ++j, dy += dy_stride) {
      V g[vectors];
#pragma GCC unroll 2
      for (int r = 0; r < vectors; ++r) g[r] = load<kLanes<T>>(dy + r * kLanes<T>);
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
      T* to = total + k * total_stride + r * kLanes<T>;
      store(to, load<kLanes<T>>(to) + sum[k][r]);
    }
  }
}

// Which lanes of a or b, in runs of `step`, two rows exchange when a square is transposed.
template <int lanes, int step, bool upper>
struct Exchanged {
  static constexpr int of(int l) {
    return upper ? ((l & step) != 0 ? lanes + l : l + step) : ((l & step) != 0 ? lanes + l - step : l);
  }
};

template <class T, int step = 1>
GESSO_INLINE void transpose(Register<T>* v) {
  constexpr int lanes = kLanes<T>;
  if constexpr (step < lanes) {
#pragma GCC unroll 16
    for (int i = 0; i < lanes; ++i) {
      if ((i & step) == 0) {
        const auto a = v[i], b = v[i + step];
        v[i] = shuffle<lanes>(a, b, Exchanged<lanes, step, false>());
        v[i + step] = shuffle<lanes>(a, b, Exchanged<lanes, step, true>());
      }
    }
    transpose<T, 2 * step>(v);
  }
}

template <class T>
void transpose_square(const T* x, Index x_stride, T* y, Index y_stride) {
  Register<T> v[kLanes<T>];
  for (int i = 0; i < kLanes<T>; ++i) v[i] = load<kLanes<T>>(x + i * x_stride);
  transpose<T>(v);
  for (int i = 0; i < kLanes<T>; ++i) store(y + i * y_stride, v[i]);
}

// ---- the kernels for 1, 2, ... channels

// Registers for sums; the others hold what is being multiplied.
constexpr int kSums = GESSO_REGISTERS == 32 ? 24 : 12;
constexpr int kMostCorrelateChannels = GESSO_REGISTERS == 32 ? 8 : 6;
constexpr int kMostProductChannels = GESSO_REGISTERS == 32 ? 4 : 3;

template <class T, int... index>
constexpr auto correlate_table(std::integer_sequence<int, index...>) {
  constexpr auto vectors = [](int channels) {
    return std::min(kSums / channels, CorrelateKernel<T>::most_vectors);
  };
  return std::array{CorrelateKernel<T>{index + 1, vectors(index + 1), kLanes<T>,
                                       correlate<T, index + 1, vectors(index + 1)>,
                                       correlate<T, index + 1, (vectors(index + 1) + 1) / 2>}...};
}

template <class T>
CorrelateKernel<T> correlate_kernel_for(Index channels) {
  static constexpr auto table = correlate_table<T>(std::make_integer_sequence<int, kMostCorrelateChannels>());
  return table[std::min<Index>(channels, table.size()) - 1];
}

template <class T, int... index>
constexpr auto product_sum_table(std::integer_sequence<int, index...>) {
  constexpr auto taps = [](int channels) {
    return std::min(kSums / channels, ProductSumKernel<T>::most_taps);
  };
  return std::array{ProductSumKernel<T>{index + 1, taps(index + 1), kLanes<T>,
                                        product_sum<T, index + 1, taps(index + 1)>}...};
}

template <class T>
ProductSumKernel<T> product_sum_kernel_for(Index channels) {
  static constexpr auto table = product_sum_table<T>(std::make_integer_sequence<int, kMostProductChannels>());
  return table[std::min<Index>(channels, table.size()) - 1];
}

template <class T, int vectors>
constexpr OuterProductKernel<T> outer_product_kernel_of() {
  constexpr int most = kSums / vectors;
  return {kLanes<T>,
          vectors * kLanes<T>,
          {{most, outer_product<T, vectors, most>},
           {most / 3, outer_product<T, vectors, most / 3>},
           {most / 6, outer_product<T, vectors, most / 6>},
           {1, outer_product<T, vectors, 1>}},
          transpose_square<T>};
}

template <class T>
OuterProductKernel<T> outer_product_kernel_for(Index channels) {
  return channels <= kLanes<T> ? outer_product_kernel_of<T, 1>() : outer_product_kernel_of<T, 2>();
}

}  // namespace GESSO_ISA
}  // namespace
}  // namespace gesso
