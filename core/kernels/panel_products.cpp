#include "gesso/core/kernels/panel_products.h"

#include <algorithm>
#include <type_traits>

#include "gesso/core/simd/cpu.h"
#include "gesso/core/simd/vector.h"

namespace gesso {
namespace {

// `rows` rows by `vectors` vectors of a panel's columns, from `column` on.
template <class T, int bytes, int rows, int vectors>
GESSO_INLINE void product_tile(const T* x, Index x_group, int channels, const T* w, int column, T* y,
                               Index y_row, Index y_group, bool add, const T* next) {
  using S = Simd<T, bytes>;
  T* to[vectors];
  typename S::Vector sum[rows][vectors] = {};
#pragma GCC unroll 8
  for (int n = 0; n < vectors; ++n) {
    const int o = column + n * S::lanes;
    to[n] = y + o / kGroup * y_group + o % kGroup;
  }
  if (add) {
#pragma GCC unroll 16
    for (int t = 0; t < rows; ++t) {
#pragma GCC unroll 8
      for (int n = 0; n < vectors; ++n) sum[t][n] = S::load(to[n] + t * y_row);
    }
  }
  w += column;
  for (; channels > 0; channels -= kGroup, x += x_group) {
    const int count = std::min(channels, kGroup);
    for (int c = 0; c < count; ++c, w += kPanel, next += kGroup) {
      __builtin_prefetch(next);
      typename S::Vector v[vectors];
#pragma GCC unroll 8
      for (int n = 0; n < vectors; ++n) v[n] = S::load(w + n * S::lanes);
#pragma GCC unroll 16
      for (int t = 0; t < rows; ++t) {
#pragma GCC unroll 8
        for (int n = 0; n < vectors; ++n) sum[t][n] += x[t * kGroup + c] * v[n];
      }
    }
  }
#pragma GCC unroll 16
  for (int t = 0; t < rows; ++t) {
#pragma GCC unroll 8
    for (int n = 0; n < vectors; ++n) S::store(to[n] + t * y_row, sum[t][n]);
  }
}

// The last rows, fewer than `most`.
template <class T, int bytes, int most, int vectors>
GESSO_INLINE void product_rest(int rows, const T* x, Index x_group, int channels, const T* w, int column,
                               T* y, Index y_row, Index y_group, bool add, const T* next) {
  if constexpr (most > 1) {
    if (rows == most - 1) {
      product_tile<T, bytes, most - 1, vectors>(x, x_group, channels, w, column, y, y_row, y_group, add,
                                                next);
    } else {
      product_rest<T, bytes, most - 1, vectors>(rows, x, x_group, channels, w, column, y, y_row, y_group, add,
                                                next);
    }
  }
}

// All rows by one column of vectors.
template <class T, int bytes, int rows, int vectors>
GESSO_INLINE void product_column(const T* x, Index x_group, int count, int channels, const T* w, int column,
                                 T* y, Index y_row, Index y_group, bool add, const T* next) {
  int t = 0;
  for (; t + rows <= count; t += rows, next += Index{channels} * kGroup) {
    product_tile<T, bytes, rows, vectors>(x + t * kGroup, x_group, channels, w, column, y + t * y_row, y_row,
                                          y_group, add, next);
  }
  product_rest<T, bytes, rows, vectors>(count - t, x + t * kGroup, x_group, channels, w, column,
                                        y + t * y_row, y_row, y_group, add, next);
}

template <class T, int bytes, int rows, int vectors>
GESSO_INLINE void product(const T* x, Index x_group, int count, int channels, const T* w, int groups, T* y,
                          Index y_row, Index y_group, bool add, const T* next) {
  constexpr int width = vectors * Simd<T, bytes>::lanes;
  static_assert(kPanel % width == 0);
  if (groups * kGroup < width) {
    return product_column<T, bytes, rows, vectors / 2>(x, x_group, count, channels, w, 0, y, y_row, y_group,
                                                       add, next);
  }
  for (int column = 0; column < groups * kGroup; column += width) {
    product_column<T, bytes, rows, vectors>(x, x_group, count, channels, w, column, y, y_row, y_group, add,
                                            next);
  }
}

// `rows` columns of x by `vectors` vectors of columns of y.
template <class T, int bytes, int rows, int vectors>
GESSO_INLINE void product_sum_tile(const T* x, const T* y, Index y_group, int count, int column, T* sum,
                                   Index sum_row, bool add) {
  using S = Simd<T, bytes>;
  const T* from[vectors];
  typename S::Vector total[rows][vectors] = {};
#pragma GCC unroll 8
  for (int n = 0; n < vectors; ++n) {
    const int o = column + n * S::lanes;
    from[n] = y + o / kGroup * y_group + o % kGroup;
  }
  sum += column;
  if (add) {
#pragma GCC unroll 16
    for (int c = 0; c < rows; ++c) {
#pragma GCC unroll 8
      for (int n = 0; n < vectors; ++n) total[c][n] = S::load(sum + c * sum_row + n * S::lanes);
    }
  }
  for (Index t = 0; t < count * Index{kGroup}; t += kGroup) {
    typename S::Vector v[vectors];
#pragma GCC unroll 8
    for (int n = 0; n < vectors; ++n) v[n] = S::load(from[n] + t);
#pragma GCC unroll 16
    for (int c = 0; c < rows; ++c) {
#pragma GCC unroll 8
      for (int n = 0; n < vectors; ++n) total[c][n] += x[t + c] * v[n];
    }
  }
#pragma GCC unroll 16
  for (int c = 0; c < rows; ++c) {
#pragma GCC unroll 8
    for (int n = 0; n < vectors; ++n) S::store(sum + c * sum_row + n * S::lanes, total[c][n]);
  }
}

template <class T, int bytes, int rows, int vectors>
GESSO_INLINE void product_sum(const T* x, const T* y, Index y_group, int count, int groups, T* sum,
                              Index sum_row, bool add) {
  constexpr int width = vectors * Simd<T, bytes>::lanes;
  static_assert(kGroup % rows == 0 && kPanel % width == 0);
  for (int c = 0; c < kGroup; c += rows, x += rows, sum += rows * sum_row) {
    if (groups * kGroup < width) {
      product_sum_tile<T, bytes, rows, vectors / 2>(x, y, y_group, count, 0, sum, sum_row, add);
      continue;
    }
    for (int column = 0; column < groups * kGroup; column += width) {
      product_sum_tile<T, bytes, rows, vectors>(x, y, y_group, count, column, sum, sum_row, add);
    }
  }
}

// ---- copies in groups

// A mean as the number closest to it and what is missing.
template <class T>
struct SplitMean {
  explicit SplitMean(double mean) : close(static_cast<T>(mean)), rest(static_cast<T>(mean - close)) {}

  T close, rest;
};

template <class T, int bytes>
GESSO_INLINE void transpose_group(const T* x, Index x_row, int channels, const double* mean, int count,
                                  T* to) {
  T close[kGroup] = {}, rest[kGroup] = {};
  for (int c = 0; mean != nullptr && c < channels; ++c) {
    const SplitMean<T> split(mean[c]);
    close[c] = split.close;
    rest[c] = split.rest;
  }
  int t = 0;
  if constexpr (std::is_same_v<T, float>) {
    using S = Simd<float, bytes>;
    for (; channels == kGroup && t + 4 <= count; t += 4) {
#pragma GCC unroll 4
      for (int part = 0; part < kGroup; part += S::lanes) {
        typename S::Vector columns[4];
        load_columns<bytes>(x + part * x_row + t, x_row, columns);
#pragma GCC unroll 4
        for (int k = 0; k < 4; ++k) {
          S::store(to + (t + k) * kGroup + part, columns[k] - S::load(close + part) - S::load(rest + part));
        }
      }
    }
  }
  for (; t < count; ++t) {
    for (int c = 0; c < kGroup; ++c) {
      to[t * kGroup + c] = c < channels ? x[c * x_row + t] - close[c] - rest[c] : T{0};
    }
  }
}

// The kernels as functions of one instruction set, whose registers hold `bytes`:
//   product_rows, sum_rows   rows of a tile of product() and product_sum(); each is two vectors wide
#define GESSO_PANEL_KERNELS(Name, attribute, bytes, product_rows, sum_rows)                                 \
  template <class T>                                                                                        \
  struct Name {                                                                                             \
    attribute static void multiply(const T* x, Index x_group, int rows, int channels, const T* w,           \
                                   int groups, T* y, Index y_row, Index y_group, bool add, const T* next) { \
      product<T, bytes, product_rows, 2>(x, x_group, rows, channels, w, groups, y, y_row, y_group, add,     \
                                         next);                                                             \
    }                                                                                                       \
    attribute static void multiply_sum(const T* x, const T* y, Index y_group, int rows, int groups, T* sum, \
                                       Index sum_row, bool add) {                                           \
      product_sum<T, bytes, sum_rows, 2>(x, y, y_group, rows, groups, sum, sum_row, add);                   \
    }                                                                                                       \
    attribute static void transpose(const T* x, Index x_row, int channels, const double* mean, int count,   \
                                    T* to) {                                                                \
      transpose_group<T, bytes>(x, x_row, channels, mean, count, to);                                       \
    }                                                                                                       \
    static constexpr PanelKernels<T> kernels{multiply, multiply_sum, transpose};                            \
  }

#if defined(__x86_64__)
GESSO_PANEL_KERNELS(Avx512, __attribute__((target("avx512f,avx512cd,avx512bw,avx512dq,avx512vl"))), 64, 8, 8);
GESSO_PANEL_KERNELS(Avx2, __attribute__((target("avx2,fma"))), 32, 6, 4);
#endif
GESSO_PANEL_KERNELS(Baseline, , 16, 6, 4);

}  // namespace

template <class T>
const PanelKernels<T>& panel_kernels() {
#if defined(__x86_64__)
  static const bool avx512 = cpu_has_avx512(), avx2 = cpu_has_avx2();
  if (avx512) {
    return Avx512<T>::kernels;
  }
  if (avx2) {
    return Avx2<T>::kernels;
  }
#endif
  return Baseline<T>::kernels;
}

template const PanelKernels<float>& panel_kernels();
template const PanelKernels<double>& panel_kernels();

}  // namespace gesso
