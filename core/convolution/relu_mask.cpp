#include "gesso/core/convolution/relu_mask.h"

#include <algorithm>

#include "gesso/core/memory/memory_pool.h"
#include "gesso/core/parallel.h"
#include "gesso/core/simd/clones.h"

namespace gesso {
namespace {

template <class T>
GESSO_SIMD void relu_row(T* y, Index width) {
  for (Index j = 0; j < width; ++j) y[j] = y[j] < 0 ? T{0} : y[j];
}

template <class T>
GESSO_SIMD void add_to_mask(const T* y, Index width, std::uint8_t bit, std::uint8_t* mask) {
  for (Index j = 0; j < width; ++j) mask[j] |= y[j] <= 0 ? std::uint8_t{0} : bit;
}

template <class T>
GESSO_SIMD void apply_to_row(const T* dy, Index width, std::uint8_t bit, const std::uint8_t* mask, T* dz) {
  for (Index j = 0; j < width; ++j) dz[j] = (mask[j] & bit) != 0 ? dy[j] : T{0};
}

// Calls row(offset of the row in y, its bit, offset of its bytes in those of the pair) for the rows of a pair
// of channels of sample n.
template <class Row>
void for_rows_of_pair(Index n, Index pair, Index channels, Size2d size, Row row) {
  for (Index c = 2 * pair; c < std::min(2 * pair + 2, channels); ++c) {
    for (Index i = 0; i < size.height; ++i) {
      row(((n * channels + c) * size.height + i) * size.width,
          static_cast<std::uint8_t>(1 << (c % 2 * 4 + i % 4)), i / 4 * size.width);
    }
  }
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
  parallel_for(s.batch * pairs, 1, [&](Index task, Index) {
    const Index n = task / pairs, pair = task % pairs;
    std::uint8_t* const mask = relu.mask == nullptr ? nullptr : relu.mask->rows(n, pair);
    if (mask != nullptr) {
      std::fill_n(mask, relu.mask->pair_bytes(), std::uint8_t{0});
    }
    for_rows_of_pair(n, pair, s.out_channels, s.out, [&](Index at, std::uint8_t bit, Index mask_at) {
      relu_row(y + at, s.out.width);
      if (mask != nullptr) {
        add_to_mask(y + at, s.out.width, bit, mask + mask_at);
      }
    });
  });
}

template <class T>
void apply_relu_mask(const ReluMask& mask, const T* dy, T* dz) {
  parallel_for(mask.batch() * mask.pairs(), 1, [&](Index task, Index) {
    const Index n = task / mask.pairs(), pair = task % mask.pairs();
    const std::uint8_t* const rows = mask.rows(n, pair);
    for_rows_of_pair(n, pair, mask.channels(), mask.size(), [&](Index at, std::uint8_t bit, Index mask_at) {
      apply_to_row(dy + at, mask.size().width, bit, rows + mask_at, dz + at);
    });
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
template void apply_relu_mask(const ReluMask&, const float*, float*);
template void apply_relu_mask(const ReluMask&, const double*, double*);
template class MaskedGradient<float>;
template class MaskedGradient<double>;

}  // namespace gesso
