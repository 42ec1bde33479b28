#include "gesso/core/convolution/im2col.h"

#include <algorithm>

#include "gesso/core/convolution/frame.h"
#include "gesso/core/convolution/mirror.h"
#include "gesso/core/dtype.h"
#include "gesso/core/index.h"
#include "gesso/core/kernels/gemm.h"
#include "gesso/core/kernels/partial_sums.h"
#include "gesso/core/memory/scratch.h"
#include "gesso/core/parallel.h"
#include "gesso/core/simd/clones.h"
#include "gesso/core/tensor.h"

namespace gesso::im2col_convolution {
namespace {

// ---- columns

// ceil(a / b) for b > 0 and any a.
Index ceiling(Index a, Index b) { return a > 0 ? (a + b - 1) / b : -(-a / b); }

// A run of columns in one row of the matrix that reads one row of the picture: `left` columns that read the
// padding, `length` that read pixels of the row, `right` that read the padding again.
struct Piece {
  Index at;      // offset into the columns
  Index row;     // offset into x of the row; negative when all is zero
  Index column;  // of x that the first reads; each reads shape.stride.width further than the one before
  Index left, length, right;
};

template <class Visit>
inline __attribute__((always_inline)) void for_each_piece(const ConvolutionShape& s, PaddingMode mode,
                                                          Index channels, Index begin, Index end,
                                                          Visit visit) {
  Index at = 0;
  for (Index c = 0; c < channels; ++c) {
    for (Index u = 0; u < s.kernel.height; ++u) {
      for (Index v = 0; v < s.kernel.width; ++v, at += end - begin) {
        const Index shift = s.dilation.width * v - s.padding.width;  // x column read by y column 0
        const Index inside_begin = ceiling(-shift, s.stride.width);
        const Index inside_end = ceiling(s.in.width - shift, s.stride.width);
        for (Index p = begin; p < end;) {
          const Index i = p / s.out.width;
          const Index j = p % s.out.width;
          const Index j_end = std::min(s.out.width, j + end - p);
          const Index k = padding_source(s.stride.height * i - s.padding.height + s.dilation.height * u,
                                         s.in.height, mode);
          const Index from = std::clamp(inside_begin, j, j_end);
          const Index to = std::clamp(inside_end, from, j_end);
          visit(Piece{at + p - begin, k < 0 ? -1 : (c * s.in.height + k) * s.in.width,
                      shift + s.stride.width * j, from - j, to - from, j_end - to});
          p += j_end - j;
        }
      }
    }
  }
}

// Writes the columns of pixels begin <= p < end, for the first `channels` channels at x (channels, in.height,
// in.width): columns (channels * taps, end - begin). Padding may be negative, which leaves out pixels of x.
template <class T>
GESSO_SIMD void im2col(const ConvolutionShape& s, const T* x, Index channels, Index begin, Index end,
                       T* columns) {
  const Index stride = s.stride.width;
  for_each_piece(s, s.padding_mode, channels, begin, end, [&](const Piece& piece) {
    T* to = columns + piece.at;
    const Index right = piece.left + piece.length;
    if (piece.row < 0) {
      std::fill_n(to, right + piece.right, T{0});
      return;
    }
    const T* row = x + piece.row;
    const auto show_padding = [&](Index q, Index q_end) {
      for (; q < q_end; ++q) {
        const Index source = padding_source(piece.column + stride * q, s.in.width, s.padding_mode);
        to[q] = source < 0 ? T{0} : row[source];
      }
    };
    show_padding(0, piece.left);
    if (stride == 1) {
      std::copy_n(row + piece.column + piece.left, piece.length, to + piece.left);
    } else {
      for (Index q = piece.left; q < right; ++q) to[q] = row[piece.column + stride * q];
    }
    show_padding(right, right + piece.right);
  });
}

// The transpose of im2col: adds every number of the columns to the pixel of dx that it stands for. Those of
// the padding are left to add_frame_gradient().
template <class T>
GESSO_SIMD void add_col2im(const ConvolutionShape& s, const T* columns, Index channels, Index begin,
                           Index end, T* dx) {
  const Index stride = s.stride.width;
  for_each_piece(s, PaddingMode::zeros, channels, begin, end, [&](const Piece& piece) {
    if (piece.row < 0) {
      return;
    }
    const T* from = columns + piece.at + piece.left;
    T* to = dx + piece.row + piece.column + stride * piece.left;
    if (stride == 1) {
      for (Index i = 0; i < piece.length; ++i) to[i] += from[i];
    } else {
      for (Index i = 0; i < piece.length; ++i) to[stride * i] += from[i];
    }
  });
}

// ---- blocks

constexpr Index kColumnBytes = 384 << 10;  // of one block of columns: it shares 1 MiB of L2 with gemm
constexpr Index kFewestPixels = 128;       // a block: products of fewer columns are slow
constexpr Index kInputChannelBlock = 16;   // of the gradient to the input

// How the columns of one sample and group are cut: into runs of `pixels` columns, and those, where all
// channels would still be too many, into runs of `channels` channels.
struct Blocks {
  Index pixels, per_sample, channels;
};

template <class T>
Blocks cut(const ConvolutionShape& s, Index channels) {
  constexpr Index budget = kColumnBytes / sizeof(T);
  Blocks blocks;
  blocks.pixels = std::max(budget / (channels * s.taps()), kFewestPixels);
  blocks.pixels = std::min(blocks.pixels / 16 * 16, std::max<Index>(s.out_pixels(), 1));
  blocks.per_sample = divide_up(s.out_pixels(), blocks.pixels);
  blocks.channels = std::clamp<Index>(budget / (s.taps() * blocks.pixels), 1, channels);
  return blocks;
}

// Whether the columns are x itself: one tap for each pixel.
bool columns_are_input(const ConvolutionShape& s) { return s.kernel == 1 && s.stride == 1 && s.padding == 0; }

// A matrix whose rows are `stride` elements apart.
template <class T>
struct Matrix {
  const T* data;
  Index stride;
};

// The columns of pixels begin <= p < end of `channels` channels at x.
template <class T>
Matrix<T> columns_of(const ConvolutionShape& s, const T* x, Index channels, Index begin, Index end) {
  if (columns_are_input(s)) {
    return {x + begin, s.in_pixels()};
  }
  T* columns = scratch<T>(channels * s.taps() * (end - begin));
  im2col(s, x, channels, begin, end, columns);
  return {columns, end - begin};
}

// dx from columns = w^T dy. Blocks of channels of dx are independent, so each is the work of one thread.
template <class T>
void input_gradient_by_col2im(const ConvolutionShape& s, const T* dy, const T* w, T* dx) {
  const Index channel_block = std::min(kInputChannelBlock, s.group_in());
  const Index channel_blocks = divide_up(s.group_in(), channel_block);
  const Blocks blocks = cut<T>(s, channel_block);
  parallel_for(s.batch * s.groups * channel_blocks, 1, [&](Index task, Index) {
    const Index sample_and_group = task / channel_blocks;
    const Index group = sample_and_group % s.groups;
    const Index first = task % channel_blocks * channel_block;
    const Index channels = std::min(channel_block, s.group_in() - first);
    const T* dy_group = dy + sample_and_group * s.group_out() * s.out_pixels();
    const T* w_block = w + group * s.group_out() * s.fan_in() + first * s.taps();
    T* dx_block = dx + (sample_and_group * s.group_in() + first) * s.in_pixels();
    std::fill_n(dx_block, channels * s.in_pixels(), T{0});
    for (Index begin = 0; begin < s.out_pixels(); begin += blocks.pixels) {
      const Index end = std::min(begin + blocks.pixels, s.out_pixels());
      T* columns = scratch<T>(channels * s.taps() * (end - begin));
      gemm<T>(true, false, channels * s.taps(), end - begin, s.group_out(), 1, w_block, s.fan_in(),
              dy_group + begin, s.out_pixels(), 0, columns, end - begin);
      add_col2im(s, columns, channels, begin, end, dx_block);
    }
  });
}

}  // namespace

template <class T>
void forward(const ConvolutionShape& s, const T* x, const T* w, const T* bias, const FusedRelu& relu, T* y) {
  const Blocks blocks = cut<T>(s, s.group_in());
  parallel_for(s.batch * s.groups * blocks.per_sample, 1, [&](Index task, Index) {
    const Index sample_and_group = task / blocks.per_sample;
    const Index group = sample_and_group % s.groups;
    const Index begin = task % blocks.per_sample * blocks.pixels;
    const Index end = std::min(begin + blocks.pixels, s.out_pixels());
    const T* x_group = x + sample_and_group * s.group_in() * s.in_pixels();
    const T* w_group = w + group * s.group_out() * s.fan_in();
    T* y_block = y + sample_and_group * s.group_out() * s.out_pixels() + begin;
    for (Index o = 0; o < s.group_out(); ++o) {
      std::fill_n(y_block + o * s.out_pixels(), end - begin,
                  bias == nullptr ? T{0} : bias[group * s.group_out() + o]);
    }
    for (Index first = 0; first < s.group_in(); first += blocks.channels) {
      const Index channels = std::min(blocks.channels, s.group_in() - first);
      const Matrix<T> columns = columns_of(s, x_group + first * s.in_pixels(), channels, begin, end);
      gemm<T>(false, false, s.group_out(), end - begin, channels * s.taps(), 1, w_group + first * s.taps(),
              s.fan_in(), columns.data, columns.stride, 1, y_block, s.out_pixels());
    }
  });
  apply_relu(relu, s, y);
}

template <class T>
void input_gradient(const ConvolutionShape& s, const T* dy, const ReluMask& mask, const T* w, T* dx) {
  const MaskedGradient<T> dz(mask, dy);
  if (s.stride == 1) {
    forward<T>(mirrored_shape(s), dz.data(), mirrored_weight(s, w).template data<T>(), nullptr, {}, dx);
  } else {
    input_gradient_by_col2im(s, dz.data(), w, dx);
  }
  add_frame_gradient(s, dz.data(), w, dx);
}

template <class T>
void weight_gradient(const ConvolutionShape& s, const T* x, const T* dy, const ReluMask& mask, T* dw) {
  const MaskedGradient<T> dz(mask, dy);
  const Blocks blocks = cut<T>(s, s.group_in());
  sum_blocks(s.batch * blocks.per_sample, s.groups, s.group_out() * s.fan_in(), dw,
             [&](Index group, Index block, T* sum) {
               const Index sample_and_group = block / blocks.per_sample * s.groups + group;
               const Index begin = block % blocks.per_sample * blocks.pixels;
               const Index end = std::min(begin + blocks.pixels, s.out_pixels());
               const T* x_group = x + sample_and_group * s.group_in() * s.in_pixels();
               const T* dy_block = dz.data() + sample_and_group * s.group_out() * s.out_pixels() + begin;
               for (Index first = 0; first < s.group_in(); first += blocks.channels) {
                 const Index channels = std::min(blocks.channels, s.group_in() - first);
                 const Matrix<T> columns =
                     columns_of(s, x_group + first * s.in_pixels(), channels, begin, end);
                 gemm<T>(false, true, s.group_out(), channels * s.taps(), end - begin, 1, dy_block,
                         s.out_pixels(), columns.data, columns.stride, 1, sum + first * s.taps(), s.fan_in());
               }
             });
}

template void forward(const ConvolutionShape&, const float*, const float*, const float*, const FusedRelu&,
                      float*);
template void forward(const ConvolutionShape&, const double*, const double*, const double*, const FusedRelu&,
                      double*);
template void input_gradient(const ConvolutionShape&, const float*, const ReluMask&, const float*, float*);
template void input_gradient(const ConvolutionShape&, const double*, const ReluMask&, const double*, double*);
template void weight_gradient(const ConvolutionShape&, const float*, const float*, const ReluMask&, float*);
template void weight_gradient(const ConvolutionShape&, const double*, const double*, const ReluMask&,
                              double*);

}  // namespace gesso::im2col_convolution
