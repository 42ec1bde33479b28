// Where a relu was open, one bit for each number: all that its backward needs.
//
// A byte holds four rows of one column of two channels, so that kernels which work on tiles of 4 x 4 numbers
// write and read whole bytes:
//
//     mask[n][c / 2][i / 4][j], bit c % 2 * 4 + i % 4, is set where y[n][c][i][j] > 0
//
// for y (batch, channels, height, width); channels and rows are rounded up.
#pragma once

#include <cstdint>

#include "gesso/core/index.h"
#include "gesso/core/size2d.h"

namespace gesso {

struct ReluMaskShape {
  Index batch, channels;
  Size2d size;  ///< of a picture

  Index pairs() const { return (channels + 1) / 2; }
  Index pair_bytes() const { return (size.height + 3) / 4 * size.width; }
  Index bytes() const { return batch * pairs() * pair_bytes(); }
  /// Of the first row of channel pair `pair` of sample n.
  Index offset(Index n, Index pair) const { return (n * pairs() + pair) * pair_bytes(); }
};

/// y = max(y, 0) in place (NaN stays NaN), and the mask of it unless `mask` is null.
template <class T>
void relu_with_mask(const ReluMaskShape& shape, T* y, std::uint8_t* mask);

/// dz = dy where the mask is set, 0 elsewhere.
template <class T>
void apply_relu_mask(const ReluMaskShape& shape, const T* dy, const std::uint8_t* mask, T* dz);

}  // namespace gesso
