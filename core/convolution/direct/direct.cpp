#include "gesso/core/convolution/direct/direct.h"

#include <algorithm>
#include <vector>

#include "gesso/core/convolution/direct/tile.h"
#include "gesso/core/convolution/direct/weight_outer.h"
#include "gesso/core/convolution/frame.h"
#include "gesso/core/convolution/window.h"
#include "gesso/core/dtype.h"
#include "gesso/core/kernels/partial_sums.h"
#include "gesso/core/memory/scratch.h"
#include "gesso/core/parallel.h"
#include "gesso/core/simd/clones.h"
#include "gesso/core/tensor.h"

namespace gesso::direct_convolution {
namespace {

// Of a convolution whose results read one pixel each, the one at their own place, the same of pictures with a single
// row: it fills registers and tiles best. All arrays remain as they are.
ConvolutionShape with_pixels_in_a_row(ConvolutionShape s) {
  if (s.kernel == 1 && s.stride == 1 && s.padding == 0) {
    s.in = s.out = {1, s.out_pixels()};
  }
  return s;
}

// ---- correlation
//
//     result[c, i, j] = bias[c] + sum over k of w[c, k] window[offset[k] + i * pitch + j]
//
// for c in a block of channels, as many as one kernel takes. A task fills one window for all blocks.

// Rows of a tile: as many as leave 32 tasks, so that there is work for many threads, but not fewer than 4,
// because neighbouring tiles both copy the rows between them.
Index most_rows(Size2d picture, Index pictures) {
  constexpr Index tasks = 32, few_rows = 4;
  return std::max(divide_up(picture.height * pictures, tasks), few_rows);
}

// The channels of each block but the last: all blocks as even as possible.
Index even_block(Index channels, Index most) { return divide_up(channels, divide_up(channels, most)); }

// The weights weight(c, k) of `channels` channels in the order in which kernels read them: block by block,
// within it tap by tap, within that channel by channel.
template <class T, class Weight>
void pack_weights(Index channels, Index block, Index taps, Weight weight, T* packed) {
  for (Index first = 0; first < channels; first += block) {
    for (Index k = 0; k < taps; ++k) {
      for (Index c = first; c < std::min(first + block, channels); ++c) *packed++ = weight(c, k);
    }
  }
}

// One block of channels of one tile.
template <class T>
struct Correlation {
  CorrelateKernel<T> kernel;
  const std::vector<Index>& offset;
  const T *w, *bias, *window;
  Index pitch;

  // The tile, with rows of the result `row_stride` apart and channels `channel_stride`, for
  // columns >= kernel.lanes.
  void run(Index rows, Index columns, T* result, Index row_stride, Index channel_stride) const {
    const T* from[CorrelateKernel<T>::most_vectors];
    T* to[CorrelateKernel<T>::most_vectors];
    int count = 0;
    const auto flush = [&] {
      const bool half = count <= (kernel.vectors + 1) / 2;
      for (int r = count; r < (half ? (kernel.vectors + 1) / 2 : kernel.vectors); ++r) {
        from[r] = from[0];  // the last call repeats a vector
        to[r] = to[0];
      }
      (half ? kernel.run_half : kernel.run)(std::ssize(offset), w, offset.data(), bias, from, to,
                                            channel_stride);
      count = 0;
    };
    for (Index i = 0; i < rows; ++i) {
      for (Index begin = 0; begin < columns; begin += kernel.lanes) {
        // The last vector of a row overlaps the one before instead of reaching beyond the row.
        const Index j = std::min(begin, columns - kernel.lanes);
        from[count] = window + i * pitch + j;
        to[count] = result + i * row_stride + j;
        if (++count == kernel.vectors) {
          flush();
        }
      }
    }
    if (count > 0) {
      flush();
    }
  }

  // The same with all rows as one, together with what lies between them in the window, so that no register is
  // only partly used at the end of each row. Rows of the result are `pitch` apart.
  void run_flat(Index rows, T* result, Index channel_stride) const {
    Correlation one_row = *this;
    one_row.run(1, divide_up(rows * pitch, kernel.lanes) * kernel.lanes, result, 0, channel_stride);
  }

  // Whether run_flat() has less to do than run(), or run() cannot do it.
  bool flat_is_better(Index columns) const {
    return columns < kernel.lanes || divide_up(columns, kernel.lanes) * kernel.lanes > pitch;
  }
};

// to[2 q] = even[q], to[2 q + 1] = odd[q] for 0 <= q < count.
template <class T>
GESSO_SIMD void interleave_pairs(const T* __restrict even, const T* __restrict odd, Index count,
                                 T* __restrict to) {
  constexpr Index block = 16;  // the last block overlaps the one before: no single numbers remain
  const Index blocks = count < block ? 0 : divide_up(count, block);
  for (Index b = 0; b < blocks; ++b) {
    const Index begin = std::min(b * block, count - block);
    for (Index q = begin; q < begin + block; ++q) {
      to[2 * q] = even[q];
      to[2 * q + 1] = odd[q];
    }
  }
  for (Index q = 0; blocks == 0 && q < count; ++q) {
    to[2 * q] = even[q];
    to[2 * q + 1] = odd[q];
  }
}

// to[stride * q + b] = from[b * apart + q] for begin <= stride * q + b < end and 0 <= b < stride.
template <class T>
void interleave_row(const T* from, Index apart, Index stride, Index begin, Index end, T* to) {
  if (stride == 1) {
    std::copy(from + begin, from + std::max(begin, end), to + begin);
  } else if (stride != 2) {
    for (Index e = begin; e < end; ++e) to[e] = from[e % stride * apart + e / stride];
  } else if (begin < end) {
    const T* const odd = from + apart;
    const Index first = (begin + 1) / 2, last = end / 2;
    if (begin % 2 == 1) to[begin] = odd[begin / 2];
    interleave_pairs(from + first, odd + first, last - first, to + 2 * first);
    if (end % 2 == 1) to[end - 1] = from[end / 2];
  }
}

// ---- forward and the gradient to the input

// Some of the result's pixels: row q of the phase is row stride q + phase - padding of the result.
struct Phase {
  Size2d phase;
  std::vector<Index> taps;    // of the kernel, u * kernel.width + v
  std::vector<Index> offset;  // in the window, of each source channel and tap
  Index weights;              // where its packed weights begin
};

// A result of which each phase is a correlation of the same source.
struct Plan {
  Index batch, groups, channels;  // channels of one group of the result
  Index batch_to_plan_for;
  Size2d result;  // size of its pictures
  Window window;
  Size2d stride = 1, padding = 0;
  Size2d first = 0;  // q of the result's first row and column: tiles are counted from there
  Index block = 0;   // of channels
  Tiles tiles = {};
  std::vector<Phase> phases = {};  // the phases of the columns in each of the rows
};

// Adds blocks and tiles to a plan, for phases of `size`.
template <class T>
void cut(Plan& plan, Size2d size) {
  plan.block = even_block(plan.channels, correlate_kernel<T>(plan.channels).channels);
  Window& window = plan.window;
  plan.tiles = cut_into_tiles(size, window.rows, window.columns,
                              window.channels * window.phases() + plan.stride.width * plan.block,
                              most_rows(size, plan.batch_to_plan_for * plan.groups), sizeof(T));
  window.height = plan.tiles.rows + window.rows.reach;
  window.pitch = plan.tiles.columns + window.columns.reach;
}

// All of y is one phase.
template <class T>
Plan plan_forward(const ConvolutionShape& s) {
  Plan plan{.batch = s.batch,
            .groups = s.groups,
            .channels = s.group_out(),
            .batch_to_plan_for = s.batch_to_plan_for(),
            .result = s.out,
            .window = {forward_rows(s), forward_columns(s), s.group_in()}};
  cut<T>(plan, s.out);
  plan.phases = {{0, {}, forward_offsets(s, plan.window), 0}};
  return plan;
}

// Row k of dx and row i of dy meet in tap u when k = stride i - padding + dilation u. Write k + padding as
// stride q + phase: then these are the taps with dilation u mod stride = phase, and
// i = q - (dilation u - phase) / stride. So the pixels of one phase are a correlation of dy with some of the
// taps.
template <class T>
Plan plan_input_gradient(const ConvolutionShape& s) {
  const auto axis = [](Index source, Index kernel, Index stride, Index dilation) {
    const Index reach = dilation * (kernel - 1) / stride;
    return WindowAxis{source, 1, reach, 1, reach};
  };
  const WindowAxis rows = axis(s.out.height, s.kernel.height, s.stride.height, s.dilation.height);
  const WindowAxis columns = axis(s.out.width, s.kernel.width, s.stride.width, s.dilation.width);
  const Size2d first(s.padding.height / s.stride.height, s.padding.width / s.stride.width);
  const Size2d last((s.in.height - 1 + s.padding.height) / s.stride.height,
                    (s.in.width - 1 + s.padding.width) / s.stride.width);
  Plan plan{.batch = s.batch,
            .groups = s.groups,
            .channels = s.group_in(),
            .batch_to_plan_for = s.batch_to_plan_for(),
            .result = s.in,
            .window = {rows, columns, s.group_out()},
            .stride = s.stride,
            .padding = s.padding,
            .first = first};
  cut<T>(plan, {last.height - first.height + 1, last.width - first.width + 1});
  Index weights = 0;
  for (Index a = 0; a < s.stride.height; ++a) {
    for (Index b = 0; b < s.stride.width; ++b) {
      Phase phase{{a, b}, {}, {}, weights};
      for (Index tap = 0; tap < s.taps(); ++tap) {
        if (s.dilation.height * (tap / s.kernel.width) % s.stride.height == a &&
            s.dilation.width * (tap % s.kernel.width) % s.stride.width == b) {
          phase.taps.push_back(tap);
        }
      }
      for (Index o = 0; o < s.group_out(); ++o) {
        for (const Index tap : phase.taps) {
          const Index row = (s.dilation.height * (tap / s.kernel.width) - a) / s.stride.height;
          const Index column = (s.dilation.width * (tap % s.kernel.width) - b) / s.stride.width;
          phase.offset.push_back(plan.window.at(o, 0, rows.reach - row, columns.reach - column));
        }
      }
      weights += s.in_channels * std::ssize(phase.offset);
      plan.phases.push_back(std::move(phase));
    }
  }
  return plan;
}

// Copies the column phases of one row phase of a tile, each `apart` after the one before, rows `pitch` apart,
// to their pixels of a picture of the result. The first and last rows and columns may be outside of it.
template <class T>
void spread_phases(const Plan& plan, Index row_phase, const Tile& tile, const T* from, Index apart,
                   T* picture) {
  const Index k = plan.stride.height * (plan.first.height + tile.row) + row_phase - plan.padding.height;
  const Index l = plan.stride.width * (plan.first.width + tile.column) - plan.padding.width;
  const Index begin = std::max<Index>(-l, 0);
  const Index end = std::min(plan.stride.width * tile.columns, plan.result.width - l);
  for (Index i = 0; i < tile.rows; ++i) {
    const Index row = k + plan.stride.height * i;
    if (0 <= row && row < plan.result.height) {
      interleave_row(from + i * plan.window.pitch, apart, plan.stride.width, begin, end,
                     picture + row * plan.result.width + l);
    }
  }
}

// The result of a plan, from weights that pack_weights() wrote for each phase and group, and of what the mask lets through
// of the source, if it is defined. `bias` may be null.
template <class T>
void compute(const Plan& plan, const T* source, const ReluMask& mask, const T* packed, const T* bias,
             T* result) {
  constexpr int lanes = CorrelateKernel<T>::most_lanes;
  const Window& window = plan.window;
  const Index window_size = window.size() + window.slack(lanes);
  const Index flat_size = plan.tiles.rows * window.pitch + lanes;  // of one channel of run_flat()
  const Index result_size = plan.result.height * plan.result.width;
  const std::vector<T> zeros(plan.block);
  parallel_for(plan.batch * plan.groups * plan.tiles.count(), 1, [&](Index task, Index) {
    const Tile tile = plan.tiles[task % plan.tiles.count()];
    const Index picture = task / plan.tiles.count();  // of a sample and group
    const Index first_channel = picture % plan.groups * plan.channels;
    T* memory = scratch<T>(window_size + plan.stride.width * plan.block * flat_size);
    T* flat = memory + window_size;
    const T* pictures = source + picture * window.channels * window.rows.source * window.columns.source;
    const Index row = plan.first.height + tile.row, column = plan.first.width + tile.column;
    if (mask.defined()) {
      fill_window(window, pictures, row, column, mask, picture / plan.groups,
                  picture % plan.groups * window.channels, memory);
    } else {
      fill_window(window, pictures, row, column, memory);
    }
    for (Index c = 0; c < plan.channels; c += plan.block) {
      const Index count = std::min(plan.block, plan.channels - c);
      T* block = result + (picture * plan.channels + c) * result_size;
      for (const Phase& phase : plan.phases) {
        const Correlation<T> correlation{
            correlate_kernel<T>(count),
            phase.offset,
            packed + phase.weights + (first_channel + c) * std::ssize(phase.offset),
            bias == nullptr ? zeros.data() : bias + first_channel + c,
            memory,
            window.pitch};
        if (plan.stride == 1 && !correlation.flat_is_better(tile.columns)) {
          correlation.run(tile.rows, tile.columns, block + tile.row * plan.result.width + tile.column,
                          plan.result.width, result_size);
          continue;
        }
        const Index apart = plan.block * flat_size;
        correlation.run_flat(tile.rows, flat + phase.phase.width * apart, flat_size);
        for (Index channel = 0; phase.phase.width + 1 == plan.stride.width && channel < count; ++channel) {
          spread_phases(plan, phase.phase.height, tile, flat + channel * flat_size, apart,
                        block + channel * result_size);
        }
      }
    }
  });
}

// ---- gradient to the weight
//
//     dw[o, k] = sum over p of dy[o, p] window[offset[k] + p]
//
// where p runs over the rows of a tile and what lies between them in the window, with dy zero in between.

// The rows of a tile of one channel of dy, `pitch` apart, with zeros between them and up to `length`.
template <class T>
void copy_with_gaps(const T* dy, const Tile& tile, Index width, Index pitch, Index length, T* to) {
  T* const end = to + length;
  for (Index i = 0; i < tile.rows; ++i, dy += width) {
    to = std::copy_n(dy, tile.columns, to);
    to = std::fill_n(to, pitch - tile.columns, T{0});
  }
  std::fill(to, end, T{0});
}

// One block of channels of dy, kernel.channels rows of `length`, against a window.
template <class T>
struct ProductSums {
  ProductSumKernel<T> kernel;
  const std::vector<Index>& offset;
  const T *window, *dy;
  Index length;

  // sum[c, k] += the sum for channel c and tap k < taps, rows of sum `stride` apart.
  void add(Index taps, T* sum, Index stride) const {
    Index k = 0;
    for (; k + kernel.taps <= taps; k += kernel.taps) {
      kernel.run(length, dy, length, window, offset.data() + k, sum + k, stride);
    }
    if (k == taps) {
      return;
    }
    // Of the last taps there are fewer than the kernel sums up: the others repeat the last and are dropped.
    Index last[ProductSumKernel<T>::most_taps];
    T total[ProductSumKernel<T>::most_channels * ProductSumKernel<T>::most_taps] = {};
    for (int t = 0; t < kernel.taps; ++t) last[t] = offset[std::min(k + t, taps - 1)];
    kernel.run(length, dy, length, window, last, total, kernel.taps);
    for (int c = 0; c < kernel.channels; ++c) {
      for (Index t = k; t < taps; ++t) sum[c * stride + t] += total[c * kernel.taps + t - k];
    }
  }
};

}  // namespace

template <class T>
void forward(const ConvolutionShape& shape, const T* x, const T* w, const T* bias, const FusedRelu& relu,
             T* y) {
  const ConvolutionShape s = with_pixels_in_a_row(shape);
  const Plan plan = plan_forward<T>(s);
  Tensor packed = Tensor::empty({s.out_channels, s.fan_in()}, dtype_of<T>);
  for (Index g = 0; g < s.groups; ++g) {
    const Index begin = g * s.group_out() * s.fan_in();
    const auto weight = [&](Index o, Index k) { return w[begin + o * s.fan_in() + k]; };
    pack_weights(s.group_out(), plan.block, s.fan_in(), weight, packed.mutable_data<T>() + begin);
  }
  compute(plan, x, ReluMask(), packed.data<T>(), bias, y);
  apply_relu(relu, shape, y);
}

template <class T>
void input_gradient(const ConvolutionShape& shape, const T* dy, const ReluMask& mask, const T* w, T* dx) {
  if (mask.defined() && shape.padding_mode != PaddingMode::zeros) {
    // The frame reads dy too.
    return input_gradient(shape, MaskedGradient<T>(mask, dy).data(), ReluMask(), w, dx);
  }
  const ConvolutionShape s = with_pixels_in_a_row(shape);
  const Plan plan = plan_input_gradient<T>(s);
  Tensor packed = Tensor::empty({s.out_channels, s.fan_in()}, dtype_of<T>);
  for (const Phase& phase : plan.phases) {
    const Index taps = std::ssize(phase.taps);
    for (Index g = 0; g < s.groups; ++g) {
      const auto weight = [&](Index c, Index k) {
        return w[((g * s.group_out() + k / taps) * s.group_in() + c) * s.taps() + phase.taps[k % taps]];
      };
      const Index begin = phase.weights + g * s.group_in() * std::ssize(phase.offset);
      pack_weights(s.group_in(), plan.block, std::ssize(phase.offset), weight,
                   packed.mutable_data<T>() + begin);
    }
  }
  compute<T>(plan, dy, mask, packed.data<T>(), nullptr, dx);
  add_frame_gradient(s, dy, w, dx);
}

template <class T>
void weight_gradient(const ConvolutionShape& shape, const T* x, const T* dy, const ReluMask& mask, T* dw) {
  const ConvolutionShape s = with_pixels_in_a_row(shape);
  const MaskedGradient<T> dz(mask, dy);
  if (outer_product_convolution::suits<T>(s)) {
    return outer_product_convolution::weight_gradient(s, x, dz.data(), dw);
  }
  constexpr Index lanes = ProductSumKernel<T>::most_lanes;
  constexpr Index wanted_length = 1024;  // long enough that adding up the lanes at the end is nothing,
                                         // short enough that dy for one kernel stays in the first cache
  const Index channels = s.group_out();
  Window window{forward_rows(s), forward_columns(s), 1};
  const Tiles tiles = cut_into_tiles(s.out, window.rows, window.columns, window.phases(),
                                     divide_up(wanted_length, s.out.width + window.columns.reach), sizeof(T));
  window.height = tiles.rows + window.rows.reach;
  window.pitch = tiles.columns + window.columns.reach;
  // Where tiles are few, the channels of y are cut into parts, so that there is work for many threads.
  const Index parts = s.batch * s.groups * tiles.count() >= 32 ? 1
                      : channels % 64 == 0                     ? 4
                      : channels % 32 == 0                     ? 2
                                                               : 1;
  const Index part_channels = channels / parts;
  const Index block = even_block(part_channels, product_sum_kernel<T>(part_channels).channels);
  // The window holds a slice of the channels of x.
  const Index slice =
      even_block(s.group_in(), std::max<Index>(Window::cache_bytes / sizeof(T) / window.size(), 1));
  window.channels = slice;
  const std::vector<Index> offset = forward_offsets(s, window);
  const Index most_length = divide_up(tiles.rows * window.pitch, lanes) * lanes;
  const Index window_size = divide_up(window.size() + window.slack(lanes), lanes) * lanes;

  const auto add_tile = [&](Index part, Index index, T* sum) {
    const Tile tile = tiles[index % tiles.count()];
    const Index picture = index / tiles.count() * s.groups + part / parts;
    const T* dy_tile = dz.data() + (picture * channels + part % parts * part_channels) * s.out_pixels() +
                       tile.row * s.out.width + tile.column;
    const Index length = divide_up(tile.rows * window.pitch, lanes) * lanes;
    T* x_window = scratch<T>(window_size + block * most_length);
    T* dy_block = x_window + window_size;
    for (Index c = 0; c < s.group_in(); c += slice) {
      Window of_slice = window;
      of_slice.channels = std::min(slice, s.group_in() - c);
      fill_window(of_slice, x + (picture * s.group_in() + c) * s.in_pixels(), tile.row, tile.column,
                  x_window);
      std::fill_n(x_window + of_slice.size(), window.slack(lanes), T{0});  // is multiplied by zeros of dy
      for (Index o = 0; o < part_channels; o += block) {
        const ProductSumKernel<T> kernel = product_sum_kernel<T>(std::min(block, part_channels - o));
        for (int channel = 0; channel < kernel.channels; ++channel) {
          copy_with_gaps(dy_tile + (o + channel) * s.out_pixels(), tile, s.out.width, window.pitch, length,
                         dy_block + channel * length);
        }
        const ProductSums<T> sums{kernel, offset, x_window, dy_block, length};
        sums.add(of_slice.channels * s.taps(), sum + o * s.fan_in() + c * s.taps(), s.fan_in());
      }
    }
  };
  sum_blocks(s.batch * tiles.count(), s.groups * parts, part_channels * s.fan_in(), dw, add_tile);
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

}  // namespace gesso::direct_convolution
