#include "gesso/core/convolution/im2col.h"

#include <algorithm>

#include "gesso/core/convolution/columns.h"
#include "gesso/core/dtype.h"
#include "gesso/core/index.h"
#include "gesso/core/kernels/gemm.h"
#include "gesso/core/kernels/partial_sums.h"
#include "gesso/core/memory/scratch.h"
#include "gesso/core/parallel.h"
#include "gesso/core/tensor.h"

namespace gesso::im2col_convolution {
namespace {

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

// flipped[g, c, o, u, v] = w[g, o, c, height - 1 - u, width - 1 - v]
template <class T>
void mirror(const ConvolutionShape& s, const T* w, T* flipped) {
  for (Index g = 0; g < s.groups; ++g) {
    for (Index c = 0; c < s.group_in(); ++c) {
      for (Index o = 0; o < s.group_out(); ++o) {
        const T* kernel = w + ((g * s.group_out() + o) * s.group_in() + c) * s.taps();
        flipped = std::reverse_copy(kernel, kernel + s.taps(), flipped);
      }
    }
  }
}

// The convolution of dy with mirrored kernels that gives dx when the stride is 1.
ConvolutionShape mirrored(const ConvolutionShape& s) {
  ConvolutionShape m = s;
  std::swap(m.in_channels, m.out_channels);
  std::swap(m.in, m.out);
  m.padding = {s.dilation.height * (s.kernel.height - 1) - s.padding.height,
               s.dilation.width * (s.kernel.width - 1) - s.padding.width};
  return m;
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
void forward(const ConvolutionShape& s, const T* x, const T* w, const T* bias, T* y) {
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
}

template <class T>
void input_gradient(const ConvolutionShape& s, const T* dy, const T* w, T* dx) {
  if (s.stride == 1) {
    Tensor flipped = Tensor::empty({s.in_channels * s.group_out() * s.taps()}, dtype_of<T>);
    mirror(s, w, flipped.mutable_data<T>());
    forward<T>(mirrored(s), dy, flipped.data<T>(), nullptr, dx);
  } else {
    input_gradient_by_col2im(s, dy, w, dx);
  }
}

template <class T>
void weight_gradient(const ConvolutionShape& s, const T* x, const T* dy, T* dw) {
  const Blocks blocks = cut<T>(s, s.group_in());
  sum_blocks(s.batch * blocks.per_sample, s.groups, s.group_out() * s.fan_in(), dw,
             [&](Index group, Index block, T* sum) {
               const Index sample_and_group = block / blocks.per_sample * s.groups + group;
               const Index begin = block % blocks.per_sample * blocks.pixels;
               const Index end = std::min(begin + blocks.pixels, s.out_pixels());
               const T* x_group = x + sample_and_group * s.group_in() * s.in_pixels();
               const T* dy_block = dy + sample_and_group * s.group_out() * s.out_pixels() + begin;
               for (Index first = 0; first < s.group_in(); first += blocks.channels) {
                 const Index channels = std::min(blocks.channels, s.group_in() - first);
                 const Matrix<T> columns =
                     columns_of(s, x_group + first * s.in_pixels(), channels, begin, end);
                 gemm<T>(false, true, s.group_out(), channels * s.taps(), end - begin, 1, dy_block,
                         s.out_pixels(), columns.data, columns.stride, 1, sum + first * s.taps(), s.fan_in());
               }
             });
}

template void forward(const ConvolutionShape&, const float*, const float*, const float*, float*);
template void forward(const ConvolutionShape&, const double*, const double*, const double*, double*);
template void input_gradient(const ConvolutionShape&, const float*, const float*, float*);
template void input_gradient(const ConvolutionShape&, const double*, const double*, double*);
template void weight_gradient(const ConvolutionShape&, const float*, const float*, float*);
template void weight_gradient(const ConvolutionShape&, const double*, const double*, double*);

}  // namespace gesso::im2col_convolution
