#include "gesso/core/convolution/relu_mask.h"

#include <algorithm>
#include <type_traits>

#include "gesso/core/memory/memory_pool.h"
#include "gesso/core/parallel.h"
#include "gesso/core/simd/clones.h"

namespace gesso {
namespace {

constexpr Index kRows = 4;      // of a channel in a byte of the mask
constexpr Index kColumns = 16;  // of a block, which registers hold

// Calls columns(begin, count) for blocks of a row's columns, of which the last overlaps the one before: so no single
// columns remain.
template <class Columns>
__attribute__((always_inline)) inline void for_blocks_of_columns(Index width, Columns columns) {
  for (Index b = 0; width >= kColumns && b < width; b += kColumns) {
    columns(std::min(b, width - kColumns), std::integral_constant<Index, kColumns>());
  }
  if (width < kColumns) {
    columns(Index{0}, width);
  }
}

// Rows of one byte of the mask, `width` apart in y: numbers become bits, and bytes once for all rows.
template <int rows, class T>
GESSO_SIMD void relu_rows(T* y, Index width, int shift, std::uint8_t* mask) {
  using Bits = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
  for_blocks_of_columns(
      width, [=](Index begin, auto count) __attribute__((always_inline)) {
        Bits open[kColumns] = {};
        for (int r = 0; r < rows; ++r) {
          T* const row = y + r * width + begin;
          for (Index j = 0; j < count; ++j) {
            open[j] |= row[j] <= 0 ? Bits{0} : Bits{1} << (shift + r);  // at NaN too
            row[j] = row[j] < 0 ? T{0} : row[j];
          }
        }
        for (Index j = 0; mask != nullptr && j < count; ++j) {
          mask[begin + j] |= static_cast<std::uint8_t>(open[j]);
        }
      });
}

template <class T>
GESSO_SIMD void apply_to_row(const T* __restrict dy, Index width, std::uint8_t bit,
                             const std::uint8_t* __restrict mask, T* __restrict dz) {
  for_blocks_of_columns(
      width, [=](Index begin, auto count) __attribute__((always_inline)) {
        for (Index j = begin; j < begin + count; ++j) {
          const T g = dy[j];  // read in any case: the compiler does not vectorise what reads only sometimes
          dz[j] = (mask[j] & bit) != 0 ? g : T{0};
        }
      });
}

}  // namespace

ReluMask::ReluMask(Index batch, Index channels, Size2d size)
    : batch_(batch), channels_(channels), size_(size) {
  const auto bytes = static_cast<std::size_t>(std::max<Index>(batch * pairs() * pair_bytes(), 1));
  bytes_ = {static_cast<std::uint8_t*>(detail::pool_allocate(bytes)),
            [bytes](std::uint8_t* block) { detail::pool_free(block, bytes); }};
}

template <class T>
void apply_relu(const FusedRelu& relu, const ConvolutionShape& s, T* y) {
  if (!relu.on) {
    return;
  }
  const Index pairs = divide_up(s.out_channels, 2);
  const auto [height, width] = s.out;
  parallel_for(s.batch * pairs, 1, [&, height = height, width = width](Index task, Index) {
    const Index n = task / pairs, pair = task % pairs;
    std::uint8_t* const mask = relu.mask == nullptr ? nullptr : relu.mask->rows(n, pair);
    if (mask != nullptr) {
      std::fill_n(mask, relu.mask->pair_bytes(), std::uint8_t{0});
    }
    for (Index c = 2 * pair; c < std::min(2 * pair + 2, s.out_channels); ++c) {
      for (Index i = 0; i < height; i += kRows) {
        T* const first = y + ((n * s.out_channels + c) * height + i) * width;
        const int shift = static_cast<int>(c % 2 * kRows);
        std::uint8_t* const bytes = mask == nullptr ? nullptr : mask + i / kRows * width;
        if (i + kRows <= height) {
          relu_rows<kRows>(first, width, shift, bytes);
        } else {
          for (Index r = 0; r < height - i; ++r) {
            relu_rows<1>(first + r * width, width, shift + static_cast<int>(r), bytes);
          }
        }
      }
    }
  });
}

template <class T>
void mask_pixels(const ReluMask& mask, Index n, Index channel, Index begin, Index count, const T* dy, T* dz) {
  const Index width = mask.size().width;
  const std::uint8_t* const bytes = mask.rows(n, channel / 2);
  for (Index p = begin; p < begin + count;) {
    const Index row = p / width, column = p % width;
    const Index columns = std::min(width - column, begin + count - p);
    apply_to_row(dy + p, columns, static_cast<std::uint8_t>(1 << (channel % 2 * kRows + row % kRows)),
                 bytes + row / kRows * width + column, dz + p - begin);
    p += columns;
  }
}

template <class T>
void apply_relu_mask(const ReluMask& mask, const T* dy, T* dz) {
  const Index pixels = mask.size().height * mask.size().width;
  parallel_for(mask.batch() * mask.channels(), 2, [&](Index begin, Index end) {
    for (Index plane = begin; plane < end; ++plane) {
      mask_pixels(mask, plane / mask.channels(), plane % mask.channels(), 0, pixels, dy + plane * pixels,
                  dz + plane * pixels);
    }
  });
}

template <class T>
MaskedGradient<T>::MaskedGradient(const ReluMask& mask, const T* dy) : data_(dy) {
  if (mask.defined()) {
    copy_ =
        Tensor::empty({mask.batch(), mask.channels(), mask.size().height, mask.size().width}, dtype_of<T>);
    apply_relu_mask(mask, dy, copy_.mutable_data<T>());
    data_ = copy_.data<T>();
  }
}

template void apply_relu(const FusedRelu&, const ConvolutionShape&, float*);
template void apply_relu(const FusedRelu&, const ConvolutionShape&, double*);
template void mask_pixels(const ReluMask&, Index, Index, Index, Index, const float*, float*);
template void mask_pixels(const ReluMask&, Index, Index, Index, Index, const double*, double*);
template void apply_relu_mask(const ReluMask&, const float*, float*);
template void apply_relu_mask(const ReluMask&, const double*, double*);
template class MaskedGradient<float>;
template class MaskedGradient<double>;

}  // namespace gesso
