// The loops of core/convolution/winograd/kernels.h, compiled once for each instruction set by kernels.cpp
// (core/simd/for_each_isa.h).

namespace gesso::winograd {
namespace {
namespace GESSO_ISA {

using namespace simd;

constexpr int kLanes = GESSO_REGISTER_BYTES / sizeof(float);
using Register = Vector<float, kLanes>;

constexpr int kColumns = kTile * kStrip;  // of the result of a strip
constexpr int kPitch = kColumns + 8;  // of a row of a strip in working memory: a strip reads 2 more columns

// ---- transforms of pictures
//
// The transform down the columns is done first, on rows of pixels as they lie in memory, into working memory.
// There four columns of 16 channels are transposed at a time, and the transform along rows runs on vectors of
// channels, which are written straight to the matrices.

alignas(64) const float kZeroRow[kPitch] = {};
const std::uint8_t kZeroBytes[kPitch] = {};

// The rows that a strip of one channel reads, from its first column inside the picture on.
template <int count>
struct Rows {
  bool inside[count];  // or zeros
  const float* x[count];
  const std::uint8_t* mask[count];
  int bit[count];
};

template <int lanes>
GESSO_INLINE Vector<float, lanes> load_masked(const float* x, const std::uint8_t* mask, int bit) {
  const auto v = load<lanes>(x);
  const auto open = __builtin_convertvector(load<lanes>(mask), Vector<std::int32_t, lanes>) & bit;
  return open != 0 ? v : Vector<float, lanes>{};
}

// One vector of columns, from column j of the rows.
template <class Transform, int lanes, bool masked>
GESSO_INLINE void transform_columns(const Rows<Transform::in>& rows, Index j, float* to) {
  Vector<float, lanes> d[Transform::in], t[Transform::out];
#pragma GCC unroll 6
  for (int r = 0; r < Transform::in; ++r) {
    d[r] = masked ? load_masked<lanes>(rows.x[r] + j, rows.mask[r] + j, rows.bit[r])
                  : load<lanes>(rows.x[r] + j);
  }
  Transform::apply(d, t);
#pragma GCC unroll 6
  for (int r = 0; r < Transform::out; ++r) store(to + r * kGroup * kPitch, t[r]);
}

// The same for one column, which may be left of the first. Of vectors too: the compiler fuses products and sums of single
// numbers otherwise than those of vectors, and the result would depend on where a strip begins.
template <class Transform, bool masked>
GESSO_INLINE void transform_column(const Rows<Transform::in>& rows, Index j, float* to) {
  Vector<float, 4> d[Transform::in], t[Transform::out];
  for (int r = 0; r < Transform::in; ++r) {
    const bool open = rows.inside[r] && (!masked || (rows.mask[r][j] & rows.bit[r]) != 0);
    d[r] = Vector<float, 4>{} + (open ? rows.x[r][j] : 0.0f);
  }
  Transform::apply(d, t);
  for (int r = 0; r < Transform::out; ++r) to[r * kGroup * kPitch] = t[r][0];
}

// Columns [column, column + columns) of one channel, transformed down, to rows of working memory.
template <class Transform, bool masked>
GESSO_INLINE void transform_down(const Planes<const float>& x, int channel, Index row, Index column,
                                 int columns, float* to) {
  const ShiftedCopy copy = x.copy(channel);
  row += copy.row;
  column += copy.column;
  const Index height = x.size.height, width = x.size.width;
  const Index begin = std::clamp<Index>(-column, 0, columns);
  const Index end = std::clamp<Index>(width - column, begin, columns);
  const Index mask_rows = (height + 3) / 4;
  // Where the strip begins inside the picture, or else anywhere inside, for the columns that show padding.
  const Index first = std::clamp<Index>(column, 0, width - 1);
  Rows<Transform::in> rows;
  for (int r = 0; r < Transform::in; ++r) {
    const Index i = padding_source(row + r, height, x.mode);
    rows.inside[r] = i >= 0;
    rows.x[r] = i < 0 ? kZeroRow : x.data + (copy.plane * height + i) * width + first;
    if (masked) {
      rows.mask[r] = i < 0 ? kZeroBytes : x.mask + (copy.plane / 2 * mask_rows + i / 4) * width + first;
      rows.bit[r] = i < 0 ? 0 : 1 << (copy.plane % 2 * 4 + i % 4);
    }
  }
  float* inside = to + begin;
  const Index count = end - begin;
  Index j = 0;
  for (; j + kLanes <= count; j += kLanes) transform_columns<Transform, kLanes, masked>(rows, j, inside + j);
  if constexpr (kLanes > 4) {
    for (; j + 4 <= count; j += 4) transform_columns<Transform, 4, masked>(rows, j, inside + j);
  }
  for (; j < count; ++j) transform_column<Transform, masked>(rows, j, inside + j);
  const auto pad = [&](Index from, Index until) {
    for (Index s = from; s < until; ++s) {
      const Index source = padding_source(column + s, width, x.mode);
      if (source < 0) {
        for (int r = 0; r < Transform::out; ++r) to[r * kGroup * kPitch + s] = 0;
      } else {
        transform_column<Transform, masked>(rows, source - first, to + s);
      }
    }
  };
  pad(0, begin);
  pad(end, columns);
}

// Fetches into the cache what transform_down() will read of a channel.
template <class Transform>
GESSO_INLINE void prefetch_rows(const Planes<const float>& x, int channel, Index row, Index column,
                                int columns) {
  const auto [height, width] = x.size;
  constexpr Index line = 64 / sizeof(float);
  const ShiftedCopy copy = x.copy(channel);
  row += copy.row;
  column += copy.column;
  const Index begin = std::clamp<Index>(column, 0, width - 1);
  const Index end = std::clamp<Index>(column + columns, begin + 1, width);
  for (int r = 0; r < Transform::in; ++r) {
    const Index i = std::clamp<Index>(row + r, 0, height - 1);
    const float* from = x.data + (copy.plane * height + i) * width;
    for (Index j = begin; j < end; j += line) __builtin_prefetch(from + j);
    __builtin_prefetch(from + end - 1);
  }
}

// A strip: tiles of Transform::in rows and columns, kTile apart.
template <class Transform>
void transform_strip(const Planes<const float>& x, Index row, Index column, int tiles, TileGroup<float> to) {
  constexpr bool overlap = Transform::in > kTile;
  const int columns = kTile * (tiles + (overlap ? 1 : 0));
  alignas(64) float strip[Transform::out][kGroup][kPitch];
  constexpr int ahead = 2;
  for (int c = 0; c < std::min(ahead, x.channels); ++c) prefetch_rows<Transform>(x, c, row, column, columns);
  for (int c = 0; c < kGroup; ++c) {
    if (c + ahead < x.channels) {
      prefetch_rows<Transform>(x, c + ahead, row, column, columns);
    }
    if (c >= x.channels) {
      for (auto& rows : strip) std::fill_n(rows[c], columns, 0.0f);
    } else if (x.mask != nullptr) {
      transform_down<Transform, true>(x, c, row, column, columns, strip[0][c]);
    } else {
      transform_down<Transform, false>(x, c, row, column, columns, strip[0][c]);
    }
  }
  for (int r = 0; r < Transform::out; ++r) {
    float* matrices = to.data + r * Transform::out * to.stride;
#pragma GCC unroll 4
    for (int part = 0; part < kGroup; part += kLanes) {
      const float* from = strip[r][part];
      Register now[4], next[4], d[Transform::in], t[Transform::out];
      load_columns<kLanes>(from, kPitch, next);
      for (int tile = 0; tile < tiles; ++tile) {
#pragma GCC unroll 4
        for (int j = 0; j < 4; ++j) now[j] = next[j];
        if (overlap || tile + 1 < tiles) {
          load_columns<kLanes>(from + kTile * (tile + 1), kPitch, next);
        }
#pragma GCC unroll 6
        for (int j = 0; j < Transform::in; ++j) d[j] = j < 4 ? now[j] : next[j - 4];
        Transform::apply(d, t);
#pragma GCC unroll 6
        for (int k = 0; k < Transform::out; ++k) {
          store(matrices + k * to.stride + tile * kGroup + part, t[k]);
        }
      }
    }
  }
}

// Rows of one channel of the result, `count` columns each, from working memory to the picture.
template <int lanes, bool masked>
GESSO_INLINE void finish_columns(const float* from, Index j, int rows, float bias, bool relu, bool stream,
                                 float* y, Index width, int shift, std::uint8_t* mask) {
  using V = Vector<float, lanes>;
  Vector<std::int32_t, lanes> open{};
  for (int i = 0; i < rows; ++i) {
    V v = load<lanes>(from + i * kPitch + j) + bias;
    if (relu) {
      v = v < 0 ? V{} : v;  // NaN stays NaN
    }
    if (masked) {
      open |= ~(v <= 0) & (1 << (shift + i));
    }
    if (stream) {
      simd::stream(y + i * width + j, v);
    } else {
      store(y + i * width + j, v);
    }
  }
  if (masked) {
    const auto bits = __builtin_convertvector(open, Vector<std::uint8_t, lanes>);
    store(mask + j, shift == 0 ? bits : load<lanes>(mask + j) | bits);
  }
}

template <bool masked>
GESSO_INLINE void finish_rows(const float* from, int rows, Index count, float bias, bool relu, bool stream,
                              float* y, Index width, int shift, std::uint8_t* mask) {
  Index j = 0;
  for (; j + kLanes <= count; j += kLanes) {
    finish_columns<kLanes, masked>(from, j, rows, bias, relu, stream, y, width, shift, mask);
  }
  if constexpr (kLanes > 4) {
    for (; j + 4 <= count; j += 4) {
      finish_columns<4, masked>(from, j, rows, bias, relu, false, y, width, shift, mask);
    }
  }
  for (; j < count; ++j) {
    int open = 0;
    for (int i = 0; i < rows; ++i) {
      const float z = from[i * kPitch + j] + bias;
      const float v = relu && z < 0 ? 0.0f : z;
      open |= v <= 0 ? 0 : 1 << (shift + i);
      y[i * width + j] = v;
    }
    if (masked) {
      mask[j] = static_cast<std::uint8_t>(shift == 0 ? open : mask[j] | open);
    }
  }
}

void result_strip(TileGroup<const float> from, int tiles, const float* bias, bool relu, bool stream,
                  const Planes<float>& y, Index row, Index column) {
  alignas(64) float strip[kGroup][kTile][kPitch];
  for (int tile = 0; tile < tiles; ++tile) {
#pragma GCC unroll 4
    for (int part = 0; part < kGroup; part += kLanes) {
      const float* m = from.data + tile * kGroup + part;
      Register half[6][4];
#pragma GCC unroll 6
      for (int j = 0; j < 6; ++j) {
        Register in[6];
#pragma GCC unroll 6
        for (int i = 0; i < 6; ++i) in[i] = load<kLanes>(m + (i * 6 + j) * from.stride);
        ResultTransform::apply(in, half[j]);
      }
#pragma GCC unroll 4
      for (int i = 0; i < kTile; ++i) {
        Register in[6], out[4];
#pragma GCC unroll 6
        for (int j = 0; j < 6; ++j) in[j] = half[j][i];
        ResultTransform::apply(in, out);
        store_columns<kLanes>(&strip[part][i][tile * kTile], kTile * kPitch, out);
      }
    }
  }
  const auto [height, width] = y.size;
  const int rows = static_cast<int>(std::min<Index>(kTile, height - row));
  const Index count = std::min<Index>(kTile * tiles, width - column);
  const Index mask_rows = (height + 3) / 4;
  constexpr Index line = 64 / sizeof(float);
  stream = stream && width % line == 0 && column % line == 0 &&
           reinterpret_cast<std::uintptr_t>(y.data) % 64 == 0 && height * width % line == 0;
  for (int c = 0; c < y.channels; ++c) {
    float* to = y.data + (c * height + row) * width + column;
    const float b = bias == nullptr ? 0.0f : bias[c];
    if (y.mask != nullptr) {
      std::uint8_t* mask = y.mask + (c / 2 * mask_rows + row / 4) * width + column;
      finish_rows<true>(strip[c][0], rows, count, b, relu, stream, to, width, c % 2 * 4, mask);
    } else {
      finish_rows<false>(strip[c][0], rows, count, b, relu, stream, to, width, 0, nullptr);
    }
  }
}

// ---- transforms of kernels

void transform_weights(const float* w, Index lane_stride, int lanes, bool mirrored, TileGroup<float> to) {
  constexpr int taps = 9;
  alignas(64) float copy[kGroup * taps];
  if (lanes < kGroup) {
    std::fill_n(copy, kGroup * taps, 0.0f);
    for (int l = 0; l < lanes; ++l) std::copy_n(w + l * lane_stride, taps, copy + l * taps);
    w = copy;
    lane_stride = taps;
  }
#pragma GCC unroll 4
  for (int part = 0; part < kGroup; part += kLanes) {
    const float* from = w + part * lane_stride;
    Register a[4], b[4], c[4];  // taps 0 to 3, 4 to 7, 5 to 8
    load_columns<kLanes>(from, lane_stride, a);
    load_columns<kLanes>(from + 4, lane_stride, b);
    load_columns<kLanes>(from + 5, lane_stride, c);
    const Register tap[taps] = {a[0], a[1], a[2], a[3], b[0], b[1], b[2], b[3], c[3]};
    Register half[3][6];
#pragma GCC unroll 3
    for (int j = 0; j < 3; ++j) {
      Register in[3];
#pragma GCC unroll 3
      for (int i = 0; i < 3; ++i) in[i] = mirrored ? tap[8 - i * 3 - j] : tap[i * 3 + j];
      KernelTransform::apply(in, half[j]);
    }
#pragma GCC unroll 6
    for (int i = 0; i < 6; ++i) {
      const Register in[3] = {half[0][i], half[1][i], half[2][i]};
      Register out[6];
      KernelTransform::apply(in, out);
#pragma GCC unroll 6
      for (int j = 0; j < 6; ++j) store(to.data + (i * 6 + j) * to.stride + part, out[j]);
    }
  }
}

void sum_to_taps(TileGroup<const float> sums, Index parts, Index part_stride, int lanes, float* dw,
                 Index lane_stride) {
  constexpr int pitch = 12;
  alignas(64) float taps[kGroup * pitch];
#pragma GCC unroll 4
  for (int l = 0; l < kGroup; l += kLanes) {
    Register half[6][3];
#pragma GCC unroll 6
    for (int j = 0; j < 6; ++j) {
      Register in[6];
#pragma GCC unroll 6
      for (int i = 0; i < 6; ++i) {
        const float* from = sums.data + (i * 6 + j) * sums.stride + l;
        in[i] = load<kLanes>(from);
        for (Index p = 1; p < parts; ++p) in[i] += load<kLanes>(from + p * part_stride);
      }
      TapTransform::apply(in, half[j]);
    }
    Register tap[pitch] = {};
#pragma GCC unroll 3
    for (int i = 0; i < 3; ++i) {
      Register in[6], out[3];
#pragma GCC unroll 6
      for (int j = 0; j < 6; ++j) in[j] = half[j][i];
      TapTransform::apply(in, out);
#pragma GCC unroll 3
      for (int j = 0; j < 3; ++j) tap[i * 3 + j] = out[j];
    }
#pragma GCC unroll 3
    for (int k = 0; k < pitch; k += 4) {
      Register four[4] = {tap[k], tap[k + 1], tap[k + 2], tap[k + 3]};
      store_columns<kLanes>(taps + l * pitch + k, pitch, four);
    }
  }
  for (int l = 0; l < lanes; ++l) std::copy_n(taps + l * pitch, 9, dw + l * lane_stride);
}

constexpr Kernels kKernels{transform_strip<InputTransform>, transform_strip<GradientTransform>, result_strip,
                           transform_weights, sum_to_taps};

}  // namespace GESSO_ISA
}  // namespace
}  // namespace gesso::winograd
