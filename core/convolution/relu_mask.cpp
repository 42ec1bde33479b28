#include "gesso/core/convolution/relu_mask.h"

#include <algorithm>

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
  for (Index j = 0; j < width; ++j) mask[j] |= y[j] > 0 ? bit : std::uint8_t{0};
}

template <class T>
GESSO_SIMD void apply_to_row(const T* dy, Index width, std::uint8_t bit, const std::uint8_t* mask, T* dz) {
  for (Index j = 0; j < width; ++j) dz[j] = (mask[j] & bit) != 0 ? dy[j] : T{0};
}

// Calls row(offset of the row in y, its bit, offset of its bytes in the mask) for the rows of a pair of
// channels, `pair` counted over all samples.
template <class Row>
void for_rows_of_pair(const ReluMaskShape& s, Index pair, Row row) {
  const Index n = pair / s.pairs(), first = pair % s.pairs() * 2;
  for (Index c = first; c < std::min(first + 2, s.channels); ++c) {
    for (Index i = 0; i < s.size.height; ++i) {
      row(((n * s.channels + c) * s.size.height + i) * s.size.width,
          static_cast<std::uint8_t>(1 << (c % 2 * 4 + i % 4)), pair * s.pair_bytes() + i / 4 * s.size.width);
    }
  }
}

}  // namespace

template <class T>
void relu_with_mask(const ReluMaskShape& s, T* y, std::uint8_t* mask) {
  parallel_for(s.batch * s.pairs(), 1, [&](Index pair, Index) {
    if (mask != nullptr) {
      std::fill_n(mask + pair * s.pair_bytes(), s.pair_bytes(), std::uint8_t{0});
    }
    for_rows_of_pair(s, pair, [&](Index at, std::uint8_t bit, Index mask_at) {
      relu_row(y + at, s.size.width);
      if (mask != nullptr) {
        add_to_mask(y + at, s.size.width, bit, mask + mask_at);
      }
    });
  });
}

template <class T>
void apply_relu_mask(const ReluMaskShape& s, const T* dy, const std::uint8_t* mask, T* dz) {
  parallel_for(s.batch * s.pairs(), 1, [&](Index pair, Index) {
    for_rows_of_pair(s, pair, [&](Index at, std::uint8_t bit, Index mask_at) {
      apply_to_row(dy + at, s.size.width, bit, mask + mask_at, dz + at);
    });
  });
}

template void relu_with_mask(const ReluMaskShape&, float*, std::uint8_t*);
template void relu_with_mask(const ReluMaskShape&, double*, std::uint8_t*);
template void apply_relu_mask(const ReluMaskShape&, const float*, const std::uint8_t*, float*);
template void apply_relu_mask(const ReluMaskShape&, const double*, const std::uint8_t*, double*);

}  // namespace gesso
