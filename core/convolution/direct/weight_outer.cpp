#include "gesso/core/convolution/direct/weight_outer.h"

#include <algorithm>
#include <vector>

#include "gesso/core/convolution/direct/tile.h"
#include "gesso/core/convolution/window.h"
#include "gesso/core/dtype.h"
#include "gesso/core/kernels/partial_sums.h"
#include "gesso/core/memory/scratch.h"
#include "gesso/core/tensor.h"

//     sum[k, o] = sum over the pixels p of a tile of dy[p, o] window[offset[k] + stride p]
//
// for the taps k of a slice of the channels of x; dy is copied with the channels of a pixel side by side.

namespace gesso::outer_product_convolution {
namespace {

// dy of a tile with channels side by side, `padded` a pixel, zeros from `channels` on.
template <class T>
void copy_transposed(const OuterProductKernel<T>& kernel, const T* dy, const Tile& tile, Size2d picture,
                     Index channels, Index padded, T* to) {
  const Index lanes = kernel.lanes, plane = picture.height * picture.width;
  for (Index i = 0; i < tile.rows; ++i, dy += picture.width, to += tile.columns * padded) {
    for (Index c = 0; c < padded; c += lanes) {
      Index j = 0;
      if (c + lanes <= channels) {
        for (; j + lanes <= tile.columns; j += lanes) {
          kernel.transpose(dy + c * plane + j, plane, to + j * padded + c, padded);
        }
      }
      for (; j < tile.columns; ++j) {
        for (Index l = c; l < c + lanes; ++l) {
          to[j * padded + l] = l < channels ? dy[l * plane + j] : T{0};
        }
      }
    }
  }
}

// The channels of y in whole registers.
template <class T>
Index padded_channels(const ConvolutionShape& s) {
  const Index lanes = outer_product_kernel<T>(1).lanes;
  return divide_up(s.group_out(), lanes) * lanes;
}

}  // namespace

template <class T>
bool suits(const ConvolutionShape& s) {
  return 4 * s.group_out() >= 3 * padded_channels<T>(s);
}

template <class T>
void weight_gradient(const ConvolutionShape& s, const T* x, const T* dy, T* dw) {
  constexpr Index few_columns = 256, tile_pixels = 512;  // dy of a block of channels stays in L1 or L2
  constexpr Index window_elements = Window::cache_bytes / 2 / sizeof(T);
  const Index channels = s.group_out();
  const Index lanes = outer_product_kernel<T>(1).lanes;
  const Index padded = padded_channels<T>(s);
  // The windows are dense: neighbouring results read pixels a stride apart.
  ConvolutionShape dense = s;
  dense.stride = 1;
  Window window{forward_rows(dense), forward_columns(dense), 1};
  Tiles tiles{s.out};
  tiles.columns = std::min(s.out.width, few_columns);
  tiles.rows = std::clamp<Index>(tile_pixels / tiles.columns, 1, s.out.height);
  tiles.down = divide_up(s.out.height, tiles.rows);
  tiles.across = divide_up(s.out.width, tiles.columns);
  window.height = s.stride.height * (tiles.rows - 1) + 1 + window.rows.reach;
  window.pitch = s.stride.width * (tiles.columns - 1) + 1 + window.columns.reach;
  // A window holds a slice of the channels of x, all slices as even as possible.
  const Index most = std::max<Index>(window_elements / window.size(), 1);
  const Index slice = divide_up(s.group_in(), divide_up(s.group_in(), most));
  window.channels = slice;
  const std::vector<Index> offset = forward_offsets(dense, window);
  const Index window_size = divide_up(window.size(), lanes) * lanes;
  const Index size = s.fan_in() * padded;
  Tensor sums = Tensor::empty({s.groups, size}, dtype_of<T>);

  const auto add_tile = [&](Index group, Index index, T* sum) {
    const Tile tile = tiles[index % tiles.count()];
    const Index picture = index / tiles.count() * s.groups + group;
    T* x_window = scratch<T>(window_size + tiles.rows * tiles.columns * padded);
    T* dy_tile = x_window + window_size;
    copy_transposed(outer_product_kernel<T>(1),
                    dy + picture * channels * s.out_pixels() + tile.row * s.out.width + tile.column, tile,
                    s.out, channels, padded, dy_tile);
    for (Index c = 0; c < s.group_in(); c += slice) {
      Window of_slice = window;
      of_slice.channels = std::min(slice, s.group_in() - c);
      fill_window(of_slice, x + (picture * s.group_in() + c) * s.in_pixels(), s.stride.height * tile.row,
                  s.stride.width * tile.column, x_window);
      const Index taps = of_slice.channels * s.taps();
      for (Index o = 0; o < padded;) {
        const OuterProductKernel<T> kernel = outer_product_kernel<T>(padded - o);
        Index k = 0;
        for (const auto& [at_once, run] : kernel.sizes) {
          for (; k + at_once <= taps; k += at_once) {
            run(tile.rows, tile.columns, dy_tile + o, padded, x_window, s.stride.height * window.pitch,
                s.stride.width, offset.data() + k, sum + (c * s.taps() + k) * padded + o, padded);
          }
        }
        o += kernel.channels;
      }
    }
  };
  sum_blocks(s.batch * tiles.count(), s.groups, size, sums.mutable_data<T>(), add_tile);
  for (Index g = 0; g < s.groups; ++g) {
    const T* from = sums.data<T>() + g * size;
    for (Index k = 0; k < s.fan_in(); ++k) {
      for (Index o = 0; o < channels; ++o) {
        dw[(g * channels + o) * s.fan_in() + k] = from[k * padded + o];
      }
    }
  }
}

template bool suits<float>(const ConvolutionShape&);
template bool suits<double>(const ConvolutionShape&);
template void weight_gradient(const ConvolutionShape&, const float*, const float*, float*);
template void weight_gradient(const ConvolutionShape&, const double*, const double*, double*);

}  // namespace gesso::outer_product_convolution
