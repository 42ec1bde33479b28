#include "gesso/core/convolution_direct.h"

#include <algorithm>
#include <vector>

#include "gesso/core/convolution_tile.h"
#include "gesso/core/convolution_window.h"
#include "gesso/core/dtype.h"
#include "gesso/core/parallel.h"
#include "gesso/core/partial_sums.h"
#include "gesso/core/scratch.h"
#include "gesso/core/tensor.h"

namespace gesso::direct_convolution {
namespace {

// ---- correlation: what forward and the gradient to the input have in common ---------------------
//
//     result[c, i, j] = bias[c] + sum over k of w[c, k] window[offset[k] + i * pitch + j]
//
// for c in a block of channels, as many as one kernel takes. A task fills one window and goes through the
// blocks.

// Rows of a tile: as many as leave 32 tasks, so that there is work for many threads, but not fewer than 4,
// because neighbouring tiles both copy the rows between them.
std::int64_t most_rows(Size2d picture, std::int64_t pictures) {
  constexpr std::int64_t tasks = 32, few_rows = 4;
  return std::max(divide_up(picture.height * pictures, tasks), few_rows);
}

// The channels of each block but the last: all blocks as even as possible.
std::int64_t even_block(std::int64_t channels, std::int64_t most) {
  return divide_up(channels, divide_up(channels, most));
}

// The weights weight(c, k) of `channels` channels in the order in which kernels read them: block after block,
// in each tap after tap, in each channel after channel.
template <class T, class Weight>
void pack_weights(std::int64_t channels, std::int64_t block, std::int64_t taps, Weight weight, T* packed) {
  for (std::int64_t first = 0; first < channels; first += block) {
    for (std::int64_t k = 0; k < taps; ++k) {
      for (std::int64_t c = first; c < std::min(first + block, channels); ++c) *packed++ = weight(c, k);
    }
  }
}

// One block of channels of one tile.
template <class T>
struct Correlation {
  CorrelateKernel<T> kernel;
  const std::vector<std::int64_t>& offset;
  const T *w, *bias, *window;
  std::int64_t pitch;

  // The tile, with rows of the result `row_stride` apart and channels `channel_stride`; columns >=
  // kernel.lanes.
  void run(std::int64_t rows, std::int64_t columns, T* result, std::int64_t row_stride,
           std::int64_t channel_stride) const {
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
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t begin = 0; begin < columns; begin += kernel.lanes) {
        // The last vector of a row overlaps the one before instead of reaching beyond the row.
        const std::int64_t j = std::min(begin, columns - kernel.lanes);
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
  // partly used at the end of each row. Rows of the result are `pitch` apart.
  void run_flat(std::int64_t rows, T* result, std::int64_t channel_stride) const {
    Correlation one_row = *this;
    one_row.run(1, divide_up(rows * pitch, kernel.lanes) * kernel.lanes, result, 0, channel_stride);
  }

  // Whether run_flat() has less to do than run(), or run() cannot do it.
  bool flat_is_better(std::int64_t columns) const {
    return columns < kernel.lanes || divide_up(columns, kernel.lanes) * kernel.lanes > pitch;
  }
};

// to[stride * q] = from[q]
template <class T>
void spread_row(const T* from, std::int64_t count, std::int64_t stride, T* to) {
  if (stride == 1) {
    std::copy_n(from, count, to);
  } else {
    for (std::int64_t q = 0; q < count; ++q) to[stride * q] = from[q];
  }
}

// ---- gradient to the input ----------------------------------------------------------------------

// Row k of dx and row i of dy meet in tap u when k = stride i - padding + dilation u. With k + padding =
// stride q
// + phase, these are the taps with dilation u mod stride = phase, and i = q - (dilation u - phase) / stride.
// So the pixels of dx of one phase are a correlation of dy with some of the taps.
struct Phase {
  Size2d phase;
  std::vector<std::int64_t> taps;    // u * kernel.width + v
  std::vector<std::int64_t> offset;  // in the window, of each channel of dy and tap
  std::int64_t weights;              // where its packed weights begin
};

std::vector<Phase> input_gradient_phases(const ConvolutionShape& s, const Window& window) {
  std::vector<Phase> phases;
  std::int64_t weights = 0;
  for (std::int64_t a = 0; a < s.stride.height; ++a) {
    for (std::int64_t b = 0; b < s.stride.width; ++b) {
      Phase phase{{a, b}, {}, {}, weights};
      for (std::int64_t tap = 0; tap < s.taps(); ++tap) {
        if (s.dilation.height * (tap / s.kernel.width) % s.stride.height == a &&
            s.dilation.width * (tap % s.kernel.width) % s.stride.width == b) {
          phase.taps.push_back(tap);
        }
      }
      for (std::int64_t o = 0; o < window.channels; ++o) {
        for (const std::int64_t tap : phase.taps) {
          const std::int64_t row = (s.dilation.height * (tap / s.kernel.width) - a) / s.stride.height;
          const std::int64_t column = (s.dilation.width * (tap % s.kernel.width) - b) / s.stride.width;
          phase.offset.push_back(window.at(o, 0, window.rows.reach - row, window.columns.reach - column));
        }
      }
      weights += s.in_channels * std::ssize(phase.offset);
      phases.push_back(std::move(phase));
    }
  }
  return phases;
}

// The values of q that pixels 0 to size - 1 of dx have.
struct Range {
  std::int64_t first, count;
};

Range positions(std::int64_t size, std::int64_t stride, std::int64_t padding) {
  return {padding / stride, (size - 1 + padding) / stride - padding / stride + 1};
}

// ---- gradient to the weight ---------------------------------------------------------------------
//
//     dw[o, k] = sum over p of dy[o, p] window[offset[k] + p]
//
// where p runs over the rows of a tile and what lies between them in the window, with dy zero in between.

// The rows of a tile of one channel of dy, `pitch` apart, with zeros between them and up to `length`.
template <class T>
void copy_with_gaps(const T* dy, const Tile& tile, std::int64_t width, std::int64_t pitch,
                    std::int64_t length, T* to) {
  T* const end = to + length;
  for (std::int64_t i = 0; i < tile.rows; ++i, dy += width) {
    to = std::copy_n(dy, tile.columns, to);
    to = std::fill_n(to, pitch - tile.columns, T{0});
  }
  std::fill(to, end, T{0});
}

// One block of channels of dy, kernel.channels rows of `length`, against a window.
template <class T>
struct ProductSums {
  ProductSumKernel<T> kernel;
  const std::vector<std::int64_t>& offset;
  const T *window, *dy;
  std::int64_t length;

  // sum[c, k] += the sum for channel c and tap k < taps, rows of sum `stride` apart.
  void add(std::int64_t taps, T* sum, std::int64_t stride) const {
    std::int64_t k = 0;
    for (; k + kernel.taps <= taps; k += kernel.taps) {
      kernel.run(length, dy, length, window, offset.data() + k, sum + k, stride);
    }
    if (k == taps) {
      return;
    }
    // The last taps are fewer than the kernel sums up: the others repeat the last, and are dropped.
    std::int64_t last[ProductSumKernel<T>::most_taps];
    T total[ProductSumKernel<T>::most_channels * ProductSumKernel<T>::most_taps] = {};
    for (int t = 0; t < kernel.taps; ++t) last[t] = offset[std::min(k + t, taps - 1)];
    kernel.run(length, dy, length, window, last, total, kernel.taps);
    for (int c = 0; c < kernel.channels; ++c) {
      for (std::int64_t t = k; t < taps; ++t) sum[c * stride + t] += total[c * kernel.taps + t - k];
    }
  }
};

}  // namespace

template <class T>
void forward(const ConvolutionShape& s, const T* x, const T* w, const T* bias, T* y) {
  const std::int64_t channels = s.group_out(), taps = s.fan_in();
  const std::int64_t block = even_block(channels, correlate_kernel<T>(channels).channels);
  Window window{forward_rows(s), forward_columns(s), s.group_in(), 0, 0};
  const Tiles tiles =
      cut_into_tiles(s.out, window.rows, window.columns, window.channels * window.phases() + block,
                     most_rows(s.out, s.batch * s.groups), sizeof(T));
  window.height = tiles.rows + window.rows.reach;
  window.pitch = tiles.columns + window.columns.reach;
  const std::vector<std::int64_t> offset = forward_offsets(s, window);
  Tensor packed_weights = Tensor::empty({s.out_channels, taps}, dtype_of<T>);
  T* packed = packed_weights.mutable_data<T>();
  for (std::int64_t begin = 0; begin < s.out_channels; begin += channels) {  // of each group
    pack_weights(
        channels, block, taps, [&](std::int64_t o, std::int64_t k) { return w[(begin + o) * taps + k]; },
        packed + begin * taps);
  }
  const std::vector<T> zeros(block);

  constexpr int lanes = CorrelateKernel<T>::most_lanes;
  const std::int64_t window_size = window.size() + window.slack(lanes);
  const std::int64_t flat_size = tiles.rows * window.pitch + lanes;  // of one channel of run_flat()
  parallel_for(s.batch * s.groups * tiles.count(), 1, [&](std::int64_t task, std::int64_t) {
    const Tile tile = tiles[task % tiles.count()];
    const std::int64_t picture = task / tiles.count();  // of a sample and group
    T* memory = scratch<T>(window_size + block * flat_size);
    T* flat = memory + window_size;
    fill_window(window, x + picture * s.group_in() * s.in_pixels(), tile.row, tile.column, memory);
    for (std::int64_t first = 0; first < channels; first += block) {
      const std::int64_t count = std::min(block, channels - first);
      const std::int64_t o = picture % s.groups * channels + first;
      const Correlation<T> correlation{correlate_kernel<T>(count),
                                       offset,
                                       packed + o * taps,
                                       bias == nullptr ? zeros.data() : bias + o,
                                       memory,
                                       window.pitch};
      T* y_tile = y + (picture * channels + first) * s.out_pixels() + tile.row * s.out.width + tile.column;
      if (!correlation.flat_is_better(tile.columns)) {
        correlation.run(tile.rows, tile.columns, y_tile, s.out.width, s.out_pixels());
        continue;
      }
      correlation.run_flat(tile.rows, flat, flat_size);
      for (std::int64_t c = 0; c < count; ++c) {
        for (std::int64_t i = 0; i < tile.rows; ++i) {
          std::copy_n(flat + c * flat_size + i * window.pitch, tile.columns,
                      y_tile + c * s.out_pixels() + i * s.out.width);
        }
      }
    }
  });
}

template <class T>
void input_gradient(const ConvolutionShape& s, const T* dy, const T* w, T* dx) {
  const std::int64_t channels = s.group_in(), sources = s.group_out();
  const std::int64_t block = even_block(channels, correlate_kernel<T>(channels).channels);
  const Range rows = positions(s.in.height, s.stride.height, s.padding.height);
  const Range columns = positions(s.in.width, s.stride.width, s.padding.width);
  const std::int64_t row_reach = s.dilation.height * (s.kernel.height - 1) / s.stride.height;
  const std::int64_t column_reach = s.dilation.width * (s.kernel.width - 1) / s.stride.width;
  Window window{{s.out.height, 1, row_reach, 1, row_reach},
                {s.out.width, 1, column_reach, 1, column_reach},
                sources,
                0,
                0};
  const Size2d picture_size(rows.count, columns.count);
  const Tiles tiles = cut_into_tiles(picture_size, window.rows, window.columns, sources + block,
                                     most_rows(picture_size, s.batch * s.groups), sizeof(T));
  window.height = tiles.rows + row_reach;
  window.pitch = tiles.columns + column_reach;
  const std::vector<Phase> phases = input_gradient_phases(s, window);
  Tensor packed_weights = Tensor::empty({s.out_channels * s.fan_in()}, dtype_of<T>);
  T* packed = packed_weights.mutable_data<T>();
  for (const Phase& phase : phases) {
    const std::int64_t taps = std::ssize(phase.taps);
    for (std::int64_t g = 0; g < s.groups; ++g) {
      const auto weight = [&](std::int64_t c, std::int64_t k) {
        return w[((g * sources + k / taps) * channels + c) * s.taps() + phase.taps[k % taps]];
      };
      pack_weights(channels, block, sources * taps, weight,
                   packed + phase.weights + g * channels * sources * taps);
    }
  }
  const std::vector<T> zeros(block);

  constexpr int lanes = CorrelateKernel<T>::most_lanes;
  const std::int64_t window_size = window.size() + window.slack(lanes);
  const std::int64_t flat_size = tiles.rows * window.pitch + lanes;
  parallel_for(s.batch * s.groups * tiles.count(), 1, [&](std::int64_t task, std::int64_t) {
    const Tile tile = tiles[task % tiles.count()];
    const std::int64_t picture = task / tiles.count();
    T* memory = scratch<T>(window_size + block * flat_size);
    T* flat = memory + window_size;
    fill_window(window, dy + picture * sources * s.out_pixels(), rows.first + tile.row,
                columns.first + tile.column, memory);
    for (std::int64_t first = 0; first < channels; first += block) {
      const std::int64_t count = std::min(block, channels - first);
      T* dx_block = dx + (picture * channels + first) * s.in_pixels();
      for (const Phase& phase : phases) {
        const std::int64_t taps = std::ssize(phase.offset);
        const T* weights = packed + phase.weights + (picture % s.groups * channels + first) * taps;
        const Correlation<T> correlation{
            correlate_kernel<T>(count), phase.offset, weights, zeros.data(), memory, window.pitch};
        if (s.stride == 1 && !correlation.flat_is_better(tile.columns)) {
          correlation.run(tile.rows, tile.columns, dx_block + tile.row * s.in.width + tile.column, s.in.width,
                          s.in_pixels());
          continue;
        }
        correlation.run_flat(tile.rows, flat, flat_size);
        // Pixel (k, l) of dx for position (0, 0) of the tile; the first and last positions may be outside.
        const std::int64_t k =
            s.stride.height * (rows.first + tile.row) + phase.phase.height - s.padding.height;
        const std::int64_t l =
            s.stride.width * (columns.first + tile.column) + phase.phase.width - s.padding.width;
        const std::int64_t begin = l < 0 ? 1 : 0;
        const std::int64_t end =
            std::min(divide_up(std::max<std::int64_t>(s.in.width - l, 0), s.stride.width), tile.columns);
        for (std::int64_t c = 0; c < count; ++c) {
          for (std::int64_t i = 0; i < tile.rows; ++i) {
            const std::int64_t row = k + s.stride.height * i;
            if (0 <= row && row < s.in.height && begin < end) {
              spread_row(flat + c * flat_size + i * window.pitch + begin, end - begin, s.stride.width,
                         dx_block + c * s.in_pixels() + row * s.in.width + l + s.stride.width * begin);
            }
          }
        }
      }
    }
  });
}

template <class T>
void weight_gradient(const ConvolutionShape& s, const T* x, const T* dy, T* dw) {
  constexpr std::int64_t lanes = ProductSumKernel<T>::most_lanes;
  constexpr std::int64_t wanted_length =
      1024;  // long enough that adding up the lanes at the end is nothing,
             // short enough that dy for one kernel stays in the first cache
  const std::int64_t channels = s.group_out();
  // Some of the channels of y are one part, so that a few large tiles are work for many threads.
  const std::int64_t parts = channels % 64 == 0 ? 4 : channels % 32 == 0 ? 2 : 1;
  const std::int64_t part_channels = channels / parts;
  const std::int64_t block = even_block(part_channels, product_sum_kernel<T>(part_channels).channels);
  Window window{forward_rows(s), forward_columns(s), 1, 0, 0};
  const Tiles tiles = cut_into_tiles(s.out, window.rows, window.columns, window.phases(),
                                     divide_up(wanted_length, s.out.width + window.columns.reach), sizeof(T));
  window.height = tiles.rows + window.rows.reach;
  window.pitch = tiles.columns + window.columns.reach;
  // The window holds a slice of the channels of x.
  const std::int64_t slice =
      even_block(s.group_in(), std::max<std::int64_t>(Window::cache_bytes / sizeof(T) / window.size(), 1));
  window.channels = slice;
  const std::vector<std::int64_t> offset = forward_offsets(s, window);
  const std::int64_t most_length = divide_up(tiles.rows * window.pitch, lanes) * lanes;
  const std::int64_t window_size = divide_up(window.size() + window.slack(lanes), lanes) * lanes;

  const auto add_tile = [&](std::int64_t part, std::int64_t index, T* sum) {
    const Tile tile = tiles[index % tiles.count()];
    const std::int64_t picture = index / tiles.count() * s.groups + part / parts;
    const T* dy_tile = dy + (picture * channels + part % parts * part_channels) * s.out_pixels() +
                       tile.row * s.out.width + tile.column;
    const std::int64_t length = divide_up(tile.rows * window.pitch, lanes) * lanes;
    T* x_window = scratch<T>(window_size + block * most_length);
    T* dy_block = x_window + window_size;
    for (std::int64_t c = 0; c < s.group_in(); c += slice) {
      Window of_slice = window;
      of_slice.channels = std::min(slice, s.group_in() - c);
      fill_window(of_slice, x + (picture * s.group_in() + c) * s.in_pixels(), tile.row, tile.column,
                  x_window);
      std::fill_n(x_window + of_slice.size(), window.slack(lanes), T{0});  // is multiplied by zeros of dy
      for (std::int64_t o = 0; o < part_channels; o += block) {
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

template void forward(const ConvolutionShape&, const float*, const float*, const float*, float*);
template void forward(const ConvolutionShape&, const double*, const double*, const double*, double*);
template void input_gradient(const ConvolutionShape&, const float*, const float*, float*);
template void input_gradient(const ConvolutionShape&, const double*, const double*, double*);
template void weight_gradient(const ConvolutionShape&, const float*, const float*, float*);
template void weight_gradient(const ConvolutionShape&, const double*, const double*, double*);

}  // namespace gesso::direct_convolution
