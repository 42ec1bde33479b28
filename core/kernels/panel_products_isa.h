// The inner loops of core/kernels/panel_products.h, compiled once for each instruction set by
// panel_products.cpp (core/simd/for_each_isa.h).

namespace gesso {
namespace {
namespace GESSO_ISA {

using namespace simd;

template <class T>
constexpr int kLanes = GESSO_REGISTER_BYTES / int{sizeof(T)};
template <class T>
using Register = Vector<T, kLanes<T>>;

// `rows` rows by `vectors` vectors of a panel's columns, from `column` on. If `fetch`, the weights from `next`
// on come into the second-level cache meanwhile; in the first they would push out what is in use.
template <class T, int rows, int vectors, bool fetch>
GESSO_INLINE void product_tile(const T* x, Index x_group, int channels, const T* w, int column, T* y,
                               Index y_row, Index y_group, bool add, const T* next) {
  using V = Register<T>;
  T* to[vectors];
  V sum[rows][vectors] = {};
#pragma GCC unroll 8
  for (int n = 0; n < vectors; ++n) {
    const int o = column + n * kLanes<T>;
    to[n] = y + o / kGroup * y_group + o % kGroup;
  }
  if (add) {
#pragma GCC unroll 16
    for (int t = 0; t < rows; ++t) {
#pragma GCC unroll 8
      for (int n = 0; n < vectors; ++n) sum[t][n] = load<kLanes<T>>(to[n] + t * y_row);
    }
  }
  w += column;
  for (; channels > 0; channels -= kGroup, x += x_group) {
    const int count = std::min(channels, kGroup);
    for (int c = 0; c < count; ++c, w += kPanel, next += kPanel) {
      if constexpr (fetch) {
        constexpr int second_level = 2, line = 64 / int{sizeof(T)};
#pragma GCC unroll 4
        for (int i = 0; i < kPanel; i += line) __builtin_prefetch(next + i, 0, second_level);
      }
      V v[vectors];
#pragma GCC unroll 8
      for (int n = 0; n < vectors; ++n) v[n] = load<kLanes<T>>(w + n * kLanes<T>);
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
    for (int n = 0; n < vectors; ++n) store(to[n] + t * y_row, sum[t][n]);
  }
}

// The last rows, fewer than `most`.
template <class T, int most, int vectors>
GESSO_INLINE void product_rest(int rows, const T* x, Index x_group, int channels, const T* w, int column,
                               T* y, Index y_row, Index y_group, bool add, const T* next) {
  if constexpr (most > 1) {
    if (rows == most - 1) {
      product_tile<T, most - 1, vectors, false>(x, x_group, channels, w, column, y, y_row, y_group, add,
                                                next);
    } else {
      product_rest<T, most - 1, vectors>(rows, x, x_group, channels, w, column, y, y_row, y_group, add, next);
    }
  }
}

// All rows by one column of vectors.
template <class T, int rows, int vectors>
GESSO_INLINE void product_column(const T* x, Index x_group, int count, int channels, const T* w, int column,
                                 T* y, Index y_row, Index y_group, bool add, const T* next) {
  int t = 0;
  if (column == 0 && rows <= count) {
    product_tile<T, rows, vectors, true>(x, x_group, channels, w, column, y, y_row, y_group, add, next);
    t += rows;
  }
  for (; t + rows <= count; t += rows) {
    product_tile<T, rows, vectors, false>(x + t * kGroup, x_group, channels, w, column, y + t * y_row, y_row,
                                          y_group, add, next);
  }
  product_rest<T, rows, vectors>(count - t, x + t * kGroup, x_group, channels, w, column, y + t * y_row,
                                 y_row, y_group, add, next);
}

template <class T, int rows, int vectors>
void product(const T* x, Index x_group, int count, int channels, const T* w, int groups, T* y, Index y_row,
             Index y_group, bool add, const T* next) {
  constexpr int width = vectors * kLanes<T>;
  static_assert(kPanel % width == 0);
  if (groups * kGroup < width) {
    return product_column<T, rows, vectors / 2>(x, x_group, count, channels, w, 0, y, y_row, y_group, add,
                                                next);
  }
  for (int column = 0; column < groups * kGroup; column += width) {
    product_column<T, rows, vectors>(x, x_group, count, channels, w, column, y, y_row, y_group, add, next);
  }
}

// `rows` columns of x by `vectors` vectors of columns of y.
template <class T, int rows, int vectors>
GESSO_INLINE void product_sum_tile(const T* x, const T* y, Index y_group, int count, int column, T* sum,
                                   Index sum_row, bool add) {
  using V = Register<T>;
  const T* from[vectors];
  V total[rows][vectors] = {};
#pragma GCC unroll 8
  for (int n = 0; n < vectors; ++n) {
    const int o = column + n * kLanes<T>;
    from[n] = y + o / kGroup * y_group + o % kGroup;
  }
  sum += column;
  if (add) {
#pragma GCC unroll 16
    for (int c = 0; c < rows; ++c) {
#pragma GCC unroll 8
      for (int n = 0; n < vectors; ++n) total[c][n] = load<kLanes<T>>(sum + c * sum_row + n * kLanes<T>);
    }
  }
  for (Index t = 0; t < count * Index{kGroup}; t += kGroup) {
    V v[vectors];
#pragma GCC unroll 8
    for (int n = 0; n < vectors; ++n) v[n] = load<kLanes<T>>(from[n] + t);
#pragma GCC unroll 16
    for (int c = 0; c < rows; ++c) {
#pragma GCC unroll 8
      for (int n = 0; n < vectors; ++n) total[c][n] += x[t + c] * v[n];
    }
  }
#pragma GCC unroll 16
  for (int c = 0; c < rows; ++c) {
#pragma GCC unroll 8
    for (int n = 0; n < vectors; ++n) store(sum + c * sum_row + n * kLanes<T>, total[c][n]);
  }
}

template <class T, int rows, int vectors>
void product_sum(const T* x, const T* y, Index y_group, int count, int groups, T* sum, Index sum_row,
                 bool add) {
  constexpr int width = vectors * kLanes<T>;
  static_assert(kGroup % rows == 0 && kPanel % width == 0);
  for (int c = 0; c < kGroup; c += rows, x += rows, sum += rows * sum_row) {
    if (groups * kGroup < width) {
      product_sum_tile<T, rows, vectors / 2>(x, y, y_group, count, 0, sum, sum_row, add);
      continue;
    }
    for (int column = 0; column < groups * kGroup; column += width) {
      product_sum_tile<T, rows, vectors>(x, y, y_group, count, column, sum, sum_row, add);
    }
  }
}

// ---- copies in groups

template <class T>
void transpose_group(const T* x, Index x_row, int channels, const double* mean, int count, T* to) {
  T close[kGroup] = {}, rest[kGroup] = {};  // of each mean the number closest to it, and what that leaves
  for (int c = 0; mean != nullptr && c < channels; ++c) {
    close[c] = static_cast<T>(mean[c]);
    rest[c] = static_cast<T>(mean[c] - close[c]);
  }
  int t = 0;
  if constexpr (std::is_same_v<T, float>) {
    for (; channels == kGroup && t + 4 <= count; t += 4) {
#pragma GCC unroll 4
      for (int part = 0; part < kGroup; part += kLanes<T>) {
        Register<float> columns[4];
        load_columns<kLanes<float>>(x + part * x_row + t, x_row, columns);
#pragma GCC unroll 4
        for (int k = 0; k < 4; ++k) {
          store(to + (t + k) * kGroup + part,
                columns[k] - load<kLanes<T>>(close + part) - load<kLanes<T>>(rest + part));
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

// Tiles are two vectors wide, and as many rows high as registers hold.
template <class T>
constexpr PanelKernels<T> kKernels{product < T, GESSO_REGISTERS == 32 ? 8 : 6, 2 >,
                                   product_sum<T, GESSO_REGISTERS == 32 ? 8 : 4, 2>, transpose_group<T>};

}  // namespace GESSO_ISA
}  // namespace
}  // namespace gesso
