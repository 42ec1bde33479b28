#include "gesso/core/convolution/winograd/winograd.h"

#include <algorithm>
#include <type_traits>
#include <vector>

#include "gesso/core/convolution/frame.h"
#include "gesso/core/convolution/winograd/kernels.h"
#include "gesso/core/convolution/winograd/large_kernels.h"
#include "gesso/core/memory/scratch.h"
#include "gesso/core/parallel.h"
#include "gesso/core/simd/stream.h"
#include "gesso/core/tensor.h"

namespace gesso::winograd_convolution {
namespace {

using namespace winograd;

// ---- tiles

// The tiles of all pictures in one row: sample after sample, row after row.
struct TileGrid {
  Index batch, down, across;

  TileGrid(Index pictures, Size2d size)
      : batch(pictures), down(divide_up(size.height, kTile)), across(divide_up(size.width, kTile)) {}

  Index count() const { return batch * down * across; }
};

// Neighbouring tiles in one row of one picture.
struct Strip {
  Index sample, row, column;  // of the first tile, in pixels
  int tiles;
};

// Calls f(strip, index of its first tile) for the strips that cover tiles [begin, end).
template <class F>
void for_each_strip(const TileGrid& grid, Index begin, Index end, F f) {
  for (Index t = begin; t < end;) {
    const Index row = t / grid.across, column = t % grid.across;
    const Index tiles = std::min({grid.across - column, end - t, Index{kStrip}});
    f(Strip{row / grid.down, row % grid.down * kTile, column * kTile, static_cast<int>(tiles)}, t);
    t += tiles;
  }
}

// Pictures of all channels of a batch, and where a relu was open in them.
template <class T>
struct Pictures {
  using Mask = std::conditional_t<std::is_const_v<T>, const ReluMask, ReluMask>;

  T* data;
  Mask* mask;  // or null
  Index batch, channels;
  Size2d size;
  PaddingMode mode = PaddingMode::zeros;
  const Copies* copies = nullptr;  // what channels are, or null: planes

  Index groups() const { return divide_up(channels, kGroup); }
  Index bytes() const { return batch * channels * size.height * size.width * sizeof(T); }
  Planes<T> planes(Index sample, Index group) const {
    const Index first = group * kGroup, first_plane = copies == nullptr ? first : 0;
    const Index sample_planes = copies == nullptr ? channels : copies->planes;
    return {data + (sample * sample_planes + first_plane) * size.height * size.width,
            mask == nullptr ? nullptr : mask->rows(sample, first_plane / 2),
            static_cast<int>(std::min<Index>(kGroup, channels - first)),
            size,
            mode,
            copies == nullptr ? nullptr : copies->channels.data() + first};
  }
};

// ---- the 36 matrices

// The distance of matrices of `size` numbers: an odd number of cache lines, or else all 36 would want the
// same few places in the caches.
Index matrix_stride(Index size) { return divide_up(size, 16) / 2 * 2 * 16 + 3 * 16; }

// Matrices of tiles by groups of channels: see core/convolution/winograd/kernels.h.
struct TileMatrices {
  float* data;
  Index tiles, groups;

  Index group_stride() const { return tiles * kGroup; }
  Index stride() const { return matrix_stride(groups * group_stride()); }
  Index size() const { return kMatrices * stride(); }
  float* at(Index matrix, Index group, Index tile) const {
    return data + matrix * stride() + group * group_stride() + tile * kGroup;
  }
};

// Matrices of weights in panels.
struct WeightMatrices {
  float* data;
  Index in, panels;

  Index panel_stride() const { return in * kPanel; }
  Index stride() const { return matrix_stride(panels * panel_stride()); }
  Index size() const { return kMatrices * stride(); }
  float* at(Index matrix, Index panel, Index channel) const {
    return data + matrix * stride() + panel * panel_stride() + channel * kPanel;
  }
};

// How long a run of tiles one task of a transform takes, where the steps of one block are parallel.
constexpr Index kRun = 64;

// The transforms of tiles [begin, end) of all channels.
template <class Kernel>
void transform(const Kernel& kernel, const Pictures<const float>& x, const TileGrid& grid, Size2d padding,
               Index begin, Index end, const TileMatrices& to) {
  const Index runs = divide_up(end - begin, kRun);
  parallel_for(to.groups * runs, 1, [&](Index task, Index) {
    const Index group = task / runs, first = begin + task % runs * kRun;
    for_each_strip(grid, first, std::min(first + kRun, end), [&](const Strip& s, Index tile) {
      kernel(x.planes(s.sample, group), s.row - padding.height, s.column - padding.width, s.tiles,
             TileGroup<float>{to.at(0, group, tile - begin), to.stride()});
    });
  });
}

// ---- forward and the gradient to the input

// A convolution whose weight from channel c to channel o is at w + o * out_stride + c * in_stride.
struct Convolution {
  Pictures<const float> x;
  Size2d padding;
  const float* w;
  Index out_stride, in_stride;
  bool mirrored;
  const float* bias;
  bool relu;
  Index whole_batch;  // 0, or as in ConvolutionShape
  Pictures<float> y;
};

// The weights from in channels [begin, end) to a group of out channels.
void transform_weights(const Convolution& c, Index group, Index begin, Index end, TileGroup<float> to) {
  const Index first = group * kGroup;
  const int lanes = static_cast<int>(std::min<Index>(kGroup, c.y.channels - first));
  for (Index i = begin; i < end; ++i, to.data += kPanel) {
    kernels().weights(c.w + first * c.out_stride + i * c.in_stride, c.out_stride, lanes, c.mirrored, to);
  }
}

void transform_weights(const Convolution& c, const WeightMatrices& to) {
  constexpr Index block = 32;  // in channels
  const Index blocks = divide_up(to.in, block);
  parallel_for(blocks * c.y.groups(), 1, [&](Index task, Index) {
    const Index group = task / blocks, begin = task % blocks * block, first = group * kGroup;
    transform_weights(c, group, begin, std::min(begin + block, to.in),
                      {to.at(0, first / kPanel, begin) + first % kPanel, to.stride()});
  });
}

// Which matrices of a panel's weights are zero: those of the first or last rows and columns of the transform where all
// kernels have zeros in their own (the values of polynomials at 0 and at infinity,
// core/convolution/winograd/transforms.h).
struct ZeroMatrices {
  bool first_row = true, last_row = true, first_column = true, last_column = true;

  ZeroMatrices(const Convolution& c, Index panel) {
    const Index first = panel * kPanel, end = std::min(first + kPanel, c.y.channels);
    for (Index i = 0; i < c.x.channels; ++i) {
      for (Index o = first; o < end && (first_row || last_row || first_column || last_column); ++o) {
        const float* w = c.w + o * c.out_stride + i * c.in_stride;
        const auto is_zero = [&](int a, int b, int d) {
          const auto tap = [&](int k) { return w[c.mirrored ? 8 - k : k]; };
          return tap(a) == 0 && tap(b) == 0 && tap(d) == 0;
        };
        first_row = first_row && is_zero(0, 1, 2);
        last_row = last_row && is_zero(6, 7, 8);
        first_column = first_column && is_zero(0, 3, 6);
        last_column = last_column && is_zero(2, 5, 8);
      }
    }
  }

  bool operator[](Index matrix) const {
    const Index row = matrix / 6, column = matrix % 6;
    return (first_row && row == 0) || (last_row && row == 5) || (first_column && column == 0) ||
           (last_column && column == 5);
  }
};

// The results of tiles [begin, end) in a group of channels, from y on, which has `first` as its first tile.
void write_results(const Convolution& c, const TileGrid& grid, const TileMatrices& y, Index y_group,
                   Index first, Index begin, Index end, Index group) {
  const bool stream = c.y.bytes() >= kStreamBytes;
  const float* bias = c.bias == nullptr ? nullptr : c.bias + group * kGroup;
  for_each_strip(grid, begin, end, [&](const Strip& s, Index tile) {
    kernels().result({y.at(0, y_group, tile - first), y.stride()}, s.tiles, bias, c.relu, stream,
                     c.y.planes(s.sample, group), s.row, s.column);
  });
  if (stream) {
    simd::finish_streams();
  }
}

// As many tiles as fit in the second-level cache or, where tiles are few, some for each thread. An even number of blocks
// if that is near: of nine, one of two threads would have five.
Index block_of_tiles(const TileGrid& grid) {
  constexpr Index least = 16, most = 64;
  const Index wanted = std::clamp<Index>(grid.count() / 8 / 8 * 8, least, most);
  for (const Index block : {wanted, wanted - 8, wanted - 16, wanted + 8, wanted + 16}) {
    if (least <= block && block <= most && divide_up(grid.count(), block) % 2 == 0) {
      return block;
    }
  }
  return wanted;
}

// The products of one matrix of `tiles` tiles and one panel of weights, to groups of y from `y_group` on.
// Meanwhile weights from `after` on are fetched: those that will be multiplied next.
void multiply_panel(const Convolution& c, const WeightMatrices& w, const ZeroMatrices& zero,
                    const TileMatrices& x, Index matrix, Index panel, int tiles, const TileMatrices& y,
                    Index y_group, const float* after) {
  // The weights of this many in channels (by 32 out channels) stay in the first-level cache.
  constexpr Index slice = 128, pair = kPanel / kGroup;
  const int groups = static_cast<int>(std::min(pair, c.y.groups() - panel * pair));
  if (zero[matrix]) {
    for (Index g = 0; g < groups; ++g) std::fill_n(y.at(matrix, y_group + g, 0), tiles * kGroup, 0.0f);
    return;
  }
  for (Index i = 0; i < w.in; i += slice) {
    const int channels = static_cast<int>(std::min(slice, w.in - i));
    const float* next = i + slice < w.in ? w.at(matrix, panel, i + slice) : after;
    panel_kernels<float>().product(x.at(matrix, i / kGroup, 0), x.group_stride(), tiles, channels,
                                   w.at(matrix, panel, i), groups, y.at(matrix, y_group, 0), kGroup,
                                   y.group_stride(), i > 0, next);
  }
}

// Tiles [begin, end): their transforms, then for one panel of out channels after the other the products and
// the results. `x` and `y` have memory for a block of tiles, y for the channels of a panel.
void compute_block(const Convolution& c, const TileGrid& grid, const WeightMatrices& w,
                   const std::vector<ZeroMatrices>& zero, Index begin, Index end, const TileMatrices& x,
                   const TileMatrices& y) {
  constexpr Index pair = kPanel / kGroup;
  transform(kernels().input, c.x, grid, c.padding, begin, end, x);
  for (Index panel = 0; panel < w.panels; ++panel) {
    for (Index matrix = 0; matrix < kMatrices; ++matrix) {
      multiply_panel(
          c, w, zero[panel], x, matrix, panel, static_cast<int>(end - begin), y, 0,
          matrix + 1 < kMatrices ? w.at(matrix + 1, panel, 0) : w.at(0, (panel + 1) % w.panels, 0));
    }
    const Index first = panel * pair;
    for (Index g = 0; g < std::min(pair, c.y.groups() - first); ++g) {
      write_results(c, grid, y, g, begin, begin, end, first + g);
    }
  }
}

// Where transformed weights are larger (18 MiB) than what a last-level cache leaves to them and tiles are many, blocks of
// tiles wait for weights, since each block reads them all. So the transforms of a large part of the tiles go to memory,
// and the products are made matrix by matrix: its tiles stay in the second-level cache while its weights pass
// by once. Each number is the same sum in the same order as in a block.
constexpr Index kManyWeights = 512 * 256, kPart = 256;

void compute_by_matrices(const Convolution& c, const TileGrid& grid, Index row, const WeightMatrices& w,
                         const std::vector<ZeroMatrices>& zero) {
  const Index most = divide_up(divide_up(row, std::max<Index>(divide_up(row, kPart), 1)), 8) * 8;
  TileMatrices x{nullptr, most, c.x.groups()}, y{nullptr, most, c.y.groups()};
  Tensor memory = Tensor::empty({x.size() + y.size()}, float32);
  x.data = memory.mutable_data<float>();
  y.data = x.data + x.size();
  for (Index begin = 0, end = 0; begin < grid.count(); begin = end) {
    end = std::min(begin + most, (begin / row + 1) * row);
    transform(kernels().input, c.x, grid, c.padding, begin, end, x);
    parallel_for(kMatrices * w.panels, 1, [&](Index task, Index) {
      const Index matrix = task / w.panels, panel = task % w.panels;
      multiply_panel(
          c, w, zero[panel], x, matrix, panel, static_cast<int>(end - begin), y, panel * (kPanel / kGroup),
          panel + 1 < w.panels ? w.at(matrix, panel + 1, 0) : w.at((matrix + 1) % kMatrices, 0, 0));
    });
    const Index runs = divide_up(end - begin, kRun);
    parallel_for(y.groups * runs, 1, [&](Index task, Index) {
      const Index group = task / runs, first = begin + task % runs * kRun;
      write_results(c, grid, y, group, begin, first, std::min(first + kRun, end), group);
    });
  }
}

// A convolution of many channels and few tiles: its weights are most of what it reads, and their transforms
// four times as much. So they never leave the second-level cache: each task transforms those of its panel, a
// slice of in channels at a time, and multiplies them by all tiles.
constexpr Index kFewTiles = 64, kManyChannels = 128;

void compute_by_panels(const Convolution& c, const TileGrid& grid) {
  constexpr Index slice = 64, pair = kPanel / kGroup;
  TileMatrices x{nullptr, grid.count(), c.x.groups()}, y{nullptr, grid.count(), pair};
  WeightMatrices w{nullptr, slice, 1};
  Tensor memory = Tensor::empty({x.size()}, float32);
  x.data = memory.mutable_data<float>();
  transform(kernels().input, c.x, grid, c.padding, 0, grid.count(), x);
  parallel_for(divide_up(c.y.channels, kPanel), 1, [&](Index panel, Index) {
    TileMatrices results = y;
    WeightMatrices weights = w;
    results.data = scratch<float>(y.size() + w.size());
    weights.data = results.data + y.size();
    const Index first = panel * pair, groups = std::min(pair, c.y.groups() - first);
    for (Index i = 0; i < c.x.channels; i += slice) {
      const Index channels = std::min(slice, c.x.channels - i);
      for (Index g = 0; g < groups; ++g) {
        transform_weights(c, first + g, i, i + channels, {weights.data + g * kGroup, weights.stride()});
      }
      for (Index matrix = 0; matrix < kMatrices; ++matrix) {
        const float* next = weights.at(std::min<Index>(matrix + 1, kMatrices - 1), 0, 0);
        panel_kernels<float>().product(x.at(matrix, i / kGroup, 0), x.group_stride(),
                                       static_cast<int>(grid.count()), static_cast<int>(channels),
                                       weights.at(matrix, 0, 0), static_cast<int>(groups),
                                       results.at(matrix, 0, 0), kGroup, results.group_stride(), i > 0, next);
      }
    }
    for (Index g = 0; g < groups; ++g) {
      write_results(c, grid, results, g, 0, 0, grid.count(), first + g);
    }
  });
}

void compute(const Convolution& c) {
  const TileGrid grid(c.y.batch, c.y.size);
  const TileGrid whole(c.whole_batch > 0 ? c.whole_batch : c.y.batch, c.y.size);
  if (whole.count() <= kFewTiles && c.x.channels > kManyChannels) {
    return compute_by_panels(c, grid);
  }
  WeightMatrices w{nullptr, c.x.channels, divide_up(c.y.channels, kPanel)};
  Tensor weights = Tensor::empty({w.size()}, float32);
  w.data = weights.mutable_data<float>();
  transform_weights(c, w);
  std::vector<ZeroMatrices> zero;
  for (Index panel = 0; panel < w.panels; ++panel) zero.emplace_back(c, panel);
  // All pictures in one row of tiles, or each picture by itself.
  const Index row = c.whole_batch > 0 ? grid.down * grid.across : grid.count();
  if (c.x.channels * c.y.channels >= kManyWeights) {
    return compute_by_matrices(c, grid, row, w, zero);
  }
  const Index block = block_of_tiles(whole);
  const Index blocks = divide_up(row, block);
  parallel_for(row > 0 ? grid.count() / row * blocks : 0, 1, [&](Index task, Index) {
    const Index begin = task / blocks * row + task % blocks * block;
    const Index end = std::min(begin + block, (task / blocks + 1) * row);
    TileMatrices x{nullptr, block, c.x.groups()}, y{nullptr, block, kPanel / kGroup};
    x.data = scratch<float>(x.size() + y.size());
    y.data = x.data + x.size();
    compute_block(c, grid, w, zero, begin, end, x, y);
  });
}

// ---- gradient to the weight

// sums[matrix][in channel][out channel] of one part of the tiles.
struct SumMatrices {
  float* data;
  Index in, out;  // rounded up to groups

  Index stride() const { return matrix_stride(in * out); }
  Index size() const { return kMatrices * stride(); }
  float* at(Index matrix, Index channel) const { return data + matrix * stride() + channel * out; }
};

// The products of the transforms of all channels over `tiles` tiles.
void multiply_block(const TileMatrices& x, const TileMatrices& dy, int tiles, const SumMatrices& sum,
                    bool add) {
  constexpr Index pair = kPanel / kGroup;
  const Index pairs = divide_up(dy.groups, pair);
  parallel_for(kMatrices * pairs, 1, [&](Index task, Index) {
    const Index matrix = task / pairs, group = task % pairs * pair;
    for (Index g = 0; g < x.groups; ++g) {
      panel_kernels<float>().product_sum(x.at(matrix, g, 0), dy.at(matrix, group, 0), dy.group_stride(),
                                         tiles, static_cast<int>(std::min(pair, dy.groups - group)),
                                         sum.at(matrix, g * kGroup) + group * kGroup, sum.out, add);
    }
  });
}

}  // namespace

bool can_compute(const ConvolutionShape& s) { return s.stride == 1 && s.dilation == 1 && s.groups == 1; }

StripRows strip_rows(const ConvolutionShape& s) {
  const Index more = s.kernel == 3 ? 0 : large_kernels::rows_beyond_result(s);
  return {kTile, kTile, divide_up(more, kTile) * kTile - more};
}

void forward(const ConvolutionShape& s, const float* x, const float* w, const float* bias,
             const FusedRelu& relu, float* y) {
  if (s.kernel != 3) {
    return large_kernels::forward(s, x, w, bias, relu, y);
  }
  forward_of(s, nullptr, x, w, bias, relu, y);
}

void forward_of(const ConvolutionShape& s, const Copies* copies, const float* x, const float* w,
                const float* bias, const FusedRelu& relu, float* y) {
  compute({.x = {x, nullptr, s.batch, s.in_channels, s.in, s.padding_mode, copies},
           .padding = s.padding,
           .w = w,
           .out_stride = s.fan_in(),
           .in_stride = s.taps(),
           .mirrored = false,
           .bias = bias,
           .relu = relu.on,
           .whole_batch = s.whole_batch,
           .y = {y, relu.on ? relu.mask : nullptr, s.batch, s.out_channels, s.out}});
}

void input_gradient(const ConvolutionShape& s, const float* dy, const ReluMask& mask, const float* w,
                    float* dx) {
  if (s.kernel != 3) {
    return large_kernels::input_gradient(s, dy, mask, w, dx);
  }
  if (mask.defined() && s.padding_mode != PaddingMode::zeros) {
    // The frame reads dy too.
    return input_gradient(s, MaskedGradient<float>(mask, dy).data(), ReluMask(), w, dx);
  }
  compute({.x = {dy, mask.defined() ? &mask : nullptr, s.batch, s.out_channels, s.out},
           .padding = {2 - s.padding.height, 2 - s.padding.width},
           .w = w,
           .out_stride = s.taps(),
           .in_stride = s.fan_in(),
           .mirrored = true,
           .bias = nullptr,
           .relu = false,
           .whole_batch = s.whole_batch,
           .y = {dx, nullptr, s.batch, s.in_channels, s.in}});
  add_frame_gradient(s, dy, w, dx);
}

void weight_gradient(const ConvolutionShape& s, const float* x, const float* dy, const ReluMask& mask,
                     float* dw) {
  if (s.kernel != 3) {
    return large_kernels::weight_gradient(s, x, dy, mask, dw);
  }
  weight_gradient_of(s, s.out, nullptr, x, nullptr, dy, mask, dw);
}

void weight_gradient_of(const ConvolutionShape& s, Size2d dy_size, const Copies* x_copies, const float* x,
                        const Copies* dy_copies, const float* dy, const ReluMask& mask, float* dw) {
  const Pictures<const float> in{x, nullptr, s.batch, s.in_channels, s.in, s.padding_mode, x_copies};
  const Pictures<const float> out{
      dy, mask.defined() ? &mask : nullptr, s.batch, s.out_channels, dy_size, PaddingMode::zeros, dy_copies};
  const TileGrid grid(s.batch, s.out);
  // The tiles are cut into parts, each a run of whole blocks with sums of its own. Where channels are many, blocks are large
  // enough that reading and writing the sums is little work, and with more than 128 x 128 there is one part only.
  const Index pairs = s.in_channels * s.out_channels;
  const bool few_channels = pairs <= 64 * 64, many_channels = pairs > 128 * 128;
  const Index tiles = few_channels ? 32 : many_channels ? 256 : 128;
  const SumMatrices shape{nullptr, in.groups() * kGroup, out.groups() * kGroup};
  // Many parts for many threads, but writing and adding up all those sums must stay little work.
  constexpr Index most_sums = 2 << 20;
  const Index most_parts = many_channels ? 1 : std::clamp<Index>(most_sums / shape.size(), 4, 8);
  const Index part = std::max<Index>(divide_up(divide_up(grid.count(), most_parts), tiles), 1) * tiles;
  const Index parts = std::max<Index>(divide_up(grid.count(), part), 1);
  Tensor sums = Tensor::empty({parts, shape.size()}, float32);
  float* const sum_data = sums.mutable_data<float>();
  const TileMatrices x_shape{nullptr, tiles, in.groups()}, dy_shape{nullptr, tiles, out.groups()};
  const auto add_block = [&](Index begin, Index end, const SumMatrices& sum, bool add, float* memory) {
    const TileMatrices tx{memory, tiles, in.groups()}, tdy{memory + tx.size(), tiles, out.groups()};
    transform(kernels().input, in, grid, s.padding, begin, end, tx);
    transform(kernels().gradient, out, grid, 0, begin, end, tdy);
    multiply_block(tx, tdy, static_cast<int>(end - begin), sum, add);
  };
  const auto add_part = [&](Index p, float* memory) {
    const SumMatrices sum{sum_data + p * shape.size(), shape.in, shape.out};
    for (Index begin = p * part; begin < std::min((p + 1) * part, grid.count()); begin += tiles) {
      add_block(begin, std::min(begin + tiles, grid.count()), sum, begin > p * part, memory);
    }
  };
  if (grid.count() == 0) {
    std::fill_n(dw, s.out_channels * s.fan_in(), 0.0f);
    return;
  }
  // A thread that has a part to itself reads what it wrote. More threads than parts work on one part after the other
  // together, if its blocks are large enough for that: the same sums in the same order.
  if (few_channels || (!many_channels && num_threads() <= parts)) {
    parallel_for(parts, 1,
                 [&](Index p, Index) { add_part(p, scratch<float>(x_shape.size() + dy_shape.size())); });
  } else {
    Tensor memory = Tensor::empty({x_shape.size() + dy_shape.size()}, float32);
    for (Index p = 0; p < parts; ++p) add_part(p, memory.mutable_data<float>());
  }
  parallel_for(s.in_channels * out.groups(), 16, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const Index channel = i / out.groups(), first = i % out.groups() * kGroup;
      kernels().taps({sum_data + channel * shape.out + first, shape.stride()}, parts, shape.size(),
                     static_cast<int>(std::min<Index>(kGroup, s.out_channels - first)),
                     dw + first * s.fan_in() + channel * s.taps(), s.fan_in());
    }
  });
}

}  // namespace gesso::winograd_convolution
