#include "gesso/core/kernels/channel_products.h"

#include <algorithm>

#include "gesso/core/index.h"
#include "gesso/core/kernels/panel_products.h"
#include "gesso/core/memory/scratch.h"
#include "gesso/core/parallel.h"
#include "gesso/core/simd/clones.h"
#include "gesso/core/tensor.h"

namespace gesso {
namespace {

// ---- sums over pixels

constexpr Index kBlockBytes = 512 << 10;  // of one block's channels: half of an L2 cache
constexpr Index kFloatColumns = 1024;     // of a sum in T, before it is added to one in float64
constexpr Index kBlocksATask = 4;

template <class T>
Index block_columns(Index channels, Index pixels) {
  const Index fit = kBlockBytes / static_cast<Index>(sizeof(T)) / channels;
  return std::min(pixels, std::clamp<Index>(fit / 64 * 64, 128, kFloatColumns));
}

// The products of the channels of one run of pixels: upper triangles, square (C, C).
template <class T>
class ProductSum {
 public:
  ProductSum(Index channels, Index columns, double* sum)
      : channels_(channels),
        groups_(divide_up(channels, kGroup)),
        columns_(columns),
        block_(scratch<T>(groups_ * kGroup * (columns + side()))),
        product_(block_ + groups_ * kGroup * columns),
        sum_(sum) {
    std::fill_n(sum_, channels * channels, 0.0);
  }

  // The next `count` <= columns pixels, from x on; rows of x are `pixels` apart.
  void add(const T* x, Index pixels, const double* mean, Index count) {
    const PanelKernels<T>& kernels = panel_kernels<T>();
    for (Index g = 0; g < groups_; ++g) {
      const Index c = g * kGroup;
      kernels.transpose(x + c * pixels, pixels, static_cast<int>(std::min<Index>(kGroup, channels_ - c)),
                        mean ? mean + c : nullptr, static_cast<int>(count), group(g));
    }
    constexpr Index pair = kPanel / kGroup;
    for (Index g = 0; g < groups_; ++g) {
      for (Index h = g; h < groups_; h += pair) {
        kernels.product_sum(group(g), group(h), columns_ * kGroup, static_cast<int>(count),
                            static_cast<int>(std::min(pair, groups_ - h)),
                            product_ + (g * side() + h) * kGroup, side(), in_product_ > 0);
      }
    }
    in_product_ += count;
    if (in_product_ + columns_ > kFloatColumns) {
      flush();
    }
  }

  void flush() {
    for (Index i = 0; in_product_ > 0 && i < channels_; ++i) {
      for (Index j = i; j < channels_; ++j) {
        sum_[i * channels_ + j] += static_cast<double>(product_[i * side() + j]);
      }
    }
    in_product_ = 0;
  }

 private:
  Index side() const { return groups_ * kGroup; }
  T* group(Index g) const { return block_ + g * columns_ * kGroup; }

  Index channels_, groups_, columns_;
  T *block_, *product_;
  double* sum_;
  Index in_product_ = 0;  // columns that are in product_ and not in sum_
};

// y = scale times the sum of `parts` matrices (C, C), in a square of a group of rows by a group of columns
// from `column` >= `row` on, of which parts have what is above the diagonal; and in the mirrored one.
template <class T>
void add_parts(const double* parts, Index count, double scale, Index channels, Index row, Index column,
               T* y) {
  const Index rows = std::min<Index>(kGroup, channels - row);
  const Index columns = std::min<Index>(kGroup, channels - column);
  double total[kGroup][kGroup] = {};
  for (Index part = 0; part < count; ++part) {
    const double* from = parts + (part * channels + row) * channels + column;
    for (Index i = 0; i < rows; ++i) {
      for (Index j = row == column ? i : 0; j < columns; ++j) total[i][j] += from[i * channels + j];
    }
  }
  for (Index i = 0; i < rows; ++i) {
    for (Index j = row == column ? i : 0; j < columns; ++j) {
      y[(row + i) * channels + column + j] = static_cast<T>(scale * total[i][j]);
    }
  }
  for (Index j = 0; j < columns; ++j) {
    for (Index i = 0; i < (row == column ? j : rows); ++i) {
      y[(column + j) * channels + row + i] = static_cast<T>(scale * total[i][j]);
    }
  }
}

// ---- products with every pixel

constexpr Index kSlice = 128;  // channels of a panel in the first-level cache

// As many as fit, with the results of their products, in half of an L2 cache.
template <class T>
Index panels_a_task(Index channels) {
  const Index bytes = channels * kPanel * static_cast<Index>(sizeof(T));
  return std::clamp<Index>(kBlockBytes / 2 / bytes, 2, 16);
}

// (s + s^T) scale in groups of columns.
template <class T>
void pack_symmetric(const T* s, T scale, Index channels, T* to) {
  parallel_for(divide_up(channels, kGroup), 1, [&](Index g, Index) {
    const Index first = g * kGroup, count = std::min<Index>(kGroup, channels - first);
    T* group = to + g * channels * kGroup;
    for (Index row = 0; row < channels; ++row) {
      for (Index c = 0; c < count; ++c) {
        group[row * kGroup + c] = scale * (s[row * channels + first + c] + s[(first + c) * channels + row]);
      }
    }
  });
}

// `count` pixels of all channels in panels, the last one filled up with anything. Row after row, as memory
// likes to be read.
template <class T>
GESSO_SIMD void pack_panels(const T* x, Index pixels, Index channels, const double* mean, Index count,
                            T* to) {
  for (Index c = 0; c < channels; ++c) {
    const T* row = x + c * pixels;
    const double m = mean ? mean[c] : 0.0;
    Index p = 0;
    for (; p + kPanel <= count; p += kPanel) {
      T* part = to + p * channels + c * kPanel;
      for (int i = 0; i < kPanel; ++i) part[i] = static_cast<T>(static_cast<double>(row[p + i]) - m);
    }
    for (; p < count; ++p) {
      to[p / kPanel * kPanel * channels + c * kPanel + p % kPanel] =
          static_cast<T>(static_cast<double>(row[p]) - m);
    }
  }
}

template <class T>
GESSO_SIMD void write_row(const T* x, T to_add, Index count, T* y) {
  for (Index i = 0; i < count; ++i) y[i] = x[i] + to_add;
}

}  // namespace

template <class T>
void channel_products(const T* x, const double* mean, double scale, Index samples, Index channels,
                      Index pixels, T* y) {
  if (samples == 0 || channels == 0) {
    return;
  }
  const Index square = channels * channels;
  const Index columns = std::max<Index>(1, block_columns<T>(channels, pixels));
  const Index run = kBlocksATask * columns;
  const Index tasks = std::max<Index>(1, divide_up(pixels, run));  // a sample
  Tensor partial = Tensor::empty({samples, tasks, channels, channels}, float64);
  double* sums = partial.mutable_data<double>();
  parallel_for(samples * tasks, 1, [&](Index task, Index) {
    const Index n = task / tasks, first = task % tasks * run;
    ProductSum<T> sum(channels, columns, sums + task * square);
    for (Index p = first; p < std::min(pixels, first + run); p += columns) {
      sum.add(x + n * channels * pixels + p, pixels, mean ? mean + n * channels : nullptr,
              std::min(columns, pixels - p));
    }
    sum.flush();
  });
  const Index groups = divide_up(channels, kGroup);
  parallel_for(samples * groups, 1, [&](Index task, Index) {
    const Index n = task / groups, first = task % groups * kGroup;
    for (Index column = first; column < channels; column += kGroup) {
      add_parts(sums + n * tasks * square, tasks, scale, channels, first, column, y + n * square);
    }
  });
}

template <class T>
void mix_channels(const T* x, const double* mean, const T* s, double scale, const double* shift,
                  Index samples, Index channels, Index pixels, T* dx) {
  if (channels == 0 || pixels == 0) {
    return;
  }
  const Index packed_size = divide_up(channels, kGroup) * kGroup * channels;
  Tensor packed = Tensor::empty({samples, packed_size}, dtype_of<T>);
  for (Index n = 0; n < samples; ++n) {
    pack_symmetric(s + n * channels * channels, static_cast<T>(scale), channels,
                   packed.mutable_data<T>() + n * packed_size);
  }
  const Index columns = panels_a_task<T>(channels) * kPanel;
  const Index blocks = divide_up(pixels, columns);
  parallel_for(samples * blocks, 1, [&](Index task, Index) {
    const Index n = task / blocks, first = task % blocks * columns;
    const Index count = std::min(columns, pixels - first);
    // Rows a multiple of 4096 bytes apart would share a place in the caches.
    const Index pitch = columns + kGroup;
    T* const panels = scratch<T>(channels * (columns + pitch));
    T* const results = panels + channels * columns;
    const auto panel = [&](Index p) { return panels + p * channels; };
    pack_panels(x + n * channels * pixels + first, pixels, channels, mean ? mean + n * channels : nullptr,
                count, panels);
    for (Index c = 0; c < channels; c += kSlice) {
      for (Index p = 0; p < count; p += kPanel) {
        panel_kernels<T>().product(
            packed.data<T>() + n * packed_size + c * channels, channels * kGroup, static_cast<int>(channels),
            static_cast<int>(std::min(kSlice, channels - c)), panel(p) + c * kPanel, kPanel / kGroup,
            results + p, pitch, kGroup, c > 0, panel(p + kPanel) + c * kPanel);
      }
    }
    for (Index c = 0; c < channels; ++c) {
      const T to_add = shift ? static_cast<T>(shift[n * channels + c]) : T{0};
      write_row(results + c * pitch, to_add, count, dx + (n * channels + c) * pixels + first);
    }
  });
}

template void channel_products(const float*, const double*, double, Index, Index, Index, float*);
template void channel_products(const double*, const double*, double, Index, Index, Index, double*);
template void mix_channels(const float*, const double*, const float*, double, const double*, Index, Index,
                           Index, float*);
template void mix_channels(const double*, const double*, const double*, double, const double*, Index, Index,
                           Index, double*);

}  // namespace gesso
