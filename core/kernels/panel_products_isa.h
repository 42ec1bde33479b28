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
template <class T>
constexpr int kLine = 64 / int{sizeof(T)};  // of a cache

// Rows of a tile, which is two vectors wide.
constexpr int kRows = GESSO_REGISTERS == 32 ? 8 : 6;

// `rows` rows by `vectors` vectors of a panel's columns, from `column` on. With every group of channels `lines` cache lines
// from `next` on come into the second-level cache; in the first they would push out what is in use.
template <class T, int rows, int vectors>
GESSO_INLINE void product_tile(const T* x, Index x_group, int channels, const T* w, int column, T* y,
                               Index y_row, Index y_group, bool add, const T* next, Index lines) {
  using V = Register<T>;
  constexpr int second_level = 2;
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
  const auto add_channel = [&](int c) __attribute__((always_inline)) {
    V v[vectors];
#pragma GCC unroll 8
    for (int n = 0; n < vectors; ++n) v[n] = load<kLanes<T>>(w + c * kPanel + n * kLanes<T>);
#pragma GCC unroll 16
    for (int t = 0; t < rows; ++t) {
#pragma GCC unroll 8
      for (int n = 0; n < vectors; ++n) sum[t][n] += x[t * kGroup + c] * v[n];
    }
  };
  for (; channels > 0; channels -= kGroup, x += x_group, w += kGroup * kPanel) {
    for (Index i = 0; i < lines; ++i, next += kLine<T>) __builtin_prefetch(next, 0, second_level);
    if (rows == kRows && channels >= kGroup) {  // without a loop, whose end the processor would not foresee
#pragma GCC unroll 16
      for (int c = 0; c < kGroup; ++c) add_channel(c);
    } else {
      for (int c = 0; c < std::min(channels, kGroup); ++c) add_channel(c);
    }
  }
#pragma GCC unroll 16
  for (int t = 0; t < rows; ++t) {
#pragma GCC unroll 8
    for (int n = 0; n < vectors; ++n) store(to[n] + t * y_row, sum[t][n]);
  }
}

// A tile of as many rows, at most `most`.
template <class T, int most, int vectors, class... Rest>
GESSO_INLINE void product_rows(int rows, Rest... rest) {
  if constexpr (most > 0) {
    if (rows == most) {
      product_tile<T, most, vectors>(rest...);
    } else {
      product_rows<T, most - 1, vectors>(rows, rest...);
    }
  }
}

// All rows by columns of `vectors` vectors, tile by tile. Each fetches its share of the weights from `next` on: all at once,
// from a distant last-level cache, would keep what the products read waiting.
template <class T, int vectors>
GESSO_INLINE void product_columns(const T* x, Index x_group, int count, int channels, const T* w, int groups,
                                  T* y, Index y_row, Index y_group, bool add, const T* next) {
  constexpr int width = vectors * kLanes<T>, group_lines = kGroup * kPanel / kLine<T>;
  const Index tiles = divide_up(count, kRows), columns = groups * kGroup / width;
  const Index lines = divide_up(group_lines, std::max<Index>(tiles * columns, 1));
  const Index share = lines * kLine<T> * divide_up(channels, kGroup);
  for (int column = 0; column < groups * kGroup; column += width) {
    for (int begin = 0; begin < count; begin += kRows, next += share) {
      product_rows<T, kRows, vectors>(std::min(count - begin, kRows), x + begin * kGroup, x_group, channels,
                                      w, column, y + begin * y_row, y_row, y_group, add, next, lines);
    }
  }
}

template <class T>
void product(const T* x, Index x_group, int count, int channels, const T* w, int groups, T* y, Index y_row,
             Index y_group, bool add, const T* next) {
  constexpr int vectors = 2;
  static_assert(kPanel % (vectors * kLanes<T>) == 0);
  if (groups * kGroup < vectors * kLanes<T>) {
    product_columns<T, vectors / 2>(x, x_group, count, channels, w, groups, y, y_row, y_group, add, next);
  } else {
    product_columns<T, vectors>(x, x_group, count, channels, w, groups, y, y_row, y_group, add, next);
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
  // The next tile's sums, which the processor would not guess in time.
  for (int c = 0; c < rows; ++c) {
    for (int n = 0; n < vectors; ++n) __builtin_prefetch(sum + (rows + c) * sum_row + n * kLanes<T>);
  }
#pragma GCC unroll 4
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

template <class T>
constexpr PanelKernels<T> kKernels{product<T>, product_sum<T, GESSO_REGISTERS == 32 ? 8 : 4, 2>,
                                   transpose_group<T>};

}  // namespace GESSO_ISA
}  // namespace
}  // namespace gesso
