#include "gesso/core/channel_products.h"

#include <algorithm>

#include "gesso/core/gemm.h"
#include "gesso/core/parallel.h"
#include "gesso/core/simd.h"
#include "gesso/core/tensor.h"

namespace gesso {
namespace {

constexpr std::int64_t kBlockBytes = 256 << 10;  // of one centred block: half of a small L2 cache
constexpr std::int64_t kBlocksATask = 4;

// Columns of one block.
template <class T>
std::int64_t block_columns(std::int64_t channels, std::int64_t pixels) {
  const std::int64_t fit = kBlockBytes / static_cast<std::int64_t>(sizeof(T)) / channels;
  return std::min(pixels, std::clamp<std::int64_t>(fit / 64 * 64, 128, 896));
}

// Columns of one product in mix_channels(): OpenBLAS is fastest below a million multiplications, where it
// does without packing its arguments; that pays from 32 columns on.
std::int64_t product_columns(std::int64_t channels) {
  const std::int64_t fit = 1000000 / (channels * channels) / 32 * 32;
  return fit >= 32 ? fit : 256;
}

// to[i] = from[i] - mean; the difference is taken in float64, so a mean far from 0 costs no digits.
template <class T>
GESSO_SIMD void center(const T* from, double mean, std::int64_t count, T* to) {
  for (std::int64_t i = 0; i < count; ++i) {
    to[i] = static_cast<T>(static_cast<double>(from[i]) - mean);
  }
}

// A block of columns as a matrix of its own in `buffer`, (channels, step), centred if there is a mean. (The
// rows of x often lie a multiple of 4096 bytes apart, which the first caches can hold only few of.)
template <class T>
struct Block {
  Block(const T* x, const double* mean, std::int64_t channels, std::int64_t pixels, std::int64_t begin,
        std::int64_t count, T* buffer)
      : data(buffer), step(step_of(count)) {
    for (std::int64_t c = 0; c < channels; ++c) {
      const T* from = x + c * pixels + begin;
      if (mean) {
        center(from, mean[c], count, buffer + c * step);
      } else {
        std::copy(from, from + count, buffer + c * step);
      }
    }
  }

  static std::int64_t step_of(std::int64_t count) { return count + 16; }

  const T* data;
  std::int64_t step;  // from row to row
};

}  // namespace

template <class T>
void channel_products(const T* x, const double* mean, double scale, std::int64_t samples,
                      std::int64_t channels, std::int64_t pixels, T* y) {
  if (samples == 0 || channels == 0) {
    return;
  }
  const std::int64_t square = channels * channels;
  const std::int64_t columns = std::max<std::int64_t>(1, block_columns<T>(channels, pixels));
  const std::int64_t blocks = (pixels + columns - 1) / columns;
  const std::int64_t tasks =
      std::max<std::int64_t>(1, (blocks + kBlocksATask - 1) / kBlocksATask);  // a sample
  const std::int64_t blocks_a_task = (blocks + tasks - 1) / tasks;
  Tensor partial = Tensor::empty({samples, tasks, channels, channels}, float64);
  double* sums = partial.mutable_data<double>();
  parallel_for(samples * tasks, 1, [&](std::int64_t task, std::int64_t) {
    const std::int64_t n = task / tasks;
    Tensor buffer = Tensor::empty({channels * Block<T>::step_of(columns)}, dtype_of<T>);
    Tensor product = Tensor::empty({channels, channels}, dtype_of<T>);
    T* values = product.mutable_data<T>();
    double* sum = sums + task * square;
    std::fill(sum, sum + square, 0.0);
    const std::int64_t first = task % tasks * blocks_a_task;
    for (std::int64_t b = first; b < std::min(blocks, first + blocks_a_task); ++b) {
      const std::int64_t count = std::min(columns, pixels - b * columns);
      const Block<T> block(x + n * channels * pixels, mean ? mean + n * channels : nullptr, channels, pixels,
                           b * columns, count, buffer.mutable_data<T>());
      gram_upper(channels, count, block.data, block.step, values);
      for (std::int64_t i = 0; i < channels; ++i) {
        for (std::int64_t j = i * channels + i; j < (i + 1) * channels; ++j) {
          sum[j] += static_cast<double>(values[j]);
        }
      }
    }
  });
  parallel_for(samples * channels, std::max<std::int64_t>(1, 4096 / channels),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t row = begin; row < end; ++row) {
                   const std::int64_t n = row / channels, i = row % channels;
                   for (std::int64_t j = i; j < channels; ++j) {
                     double total = 0;
                     for (std::int64_t t = 0; t < tasks; ++t) {
                       total += sums[(n * tasks + t) * square + i * channels + j];
                     }
                     y[n * square + i * channels + j] = y[n * square + j * channels + i] =
                         static_cast<T>(scale * total);
                   }
                 }
               });
}

template <class T>
void mix_channels(const T* x, const double* mean, const T* s, const double* shift, std::int64_t samples,
                  std::int64_t channels, std::int64_t pixels, T* dx) {
  if (channels == 0 || pixels == 0) {
    return;
  }
  const std::int64_t columns = block_columns<T>(channels, pixels);
  const std::int64_t blocks = (pixels + columns - 1) / columns;
  parallel_for(samples * blocks, 1, [&](std::int64_t task, std::int64_t) {
    const std::int64_t n = task / blocks;
    const std::int64_t begin = task % blocks * columns;
    const std::int64_t count = std::min(columns, pixels - begin);
    Tensor buffer = Tensor::empty({channels * Block<T>::step_of(columns)}, dtype_of<T>);
    const Block<T> block(x + n * channels * pixels, mean ? mean + n * channels : nullptr, channels, pixels,
                         begin, count, buffer.mutable_data<T>());
    T* to = dx + n * channels * pixels + begin;
    for (std::int64_t c = 0; shift && c < channels; ++c) {
      std::fill(to + c * pixels, to + c * pixels + count, static_cast<T>(shift[n * channels + c]));
    }
    const std::int64_t strip = std::min(count, product_columns(channels));
    for (std::int64_t i = 0; i < count; i += strip) {
      gemm<T>(false, false, channels, std::min(strip, count - i), channels, 1, s + n * channels * channels,
              channels, block.data + i, block.step, shift ? 1 : 0, to + i, pixels);
    }
  });
}

template void channel_products(const float*, const double*, double, std::int64_t, std::int64_t, std::int64_t,
                               float*);
template void channel_products(const double*, const double*, double, std::int64_t, std::int64_t, std::int64_t,
                               double*);
template void mix_channels(const float*, const double*, const float*, const double*, std::int64_t,
                           std::int64_t, std::int64_t, float*);
template void mix_channels(const double*, const double*, const double*, const double*, std::int64_t,
                           std::int64_t, std::int64_t, double*);

}  // namespace gesso
