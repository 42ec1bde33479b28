// Where a relu was open, one bit for each number: all that its backward needs.
//
// A byte holds four rows of one column of two channels, so that kernels which work on tiles of 4 x 4 numbers
// write and read whole bytes:
//
//     mask[n][c / 2][i / 4][j], bit c % 2 * 4 + i % 4, is set where y[n][c][i][j] > 0, and at NaN
//
// for y (batch, channels, height, width); channels and rows are rounded up.
#pragma once

#include <cstdint>
#include <memory>

#include "gesso/core/convolution/shape.h"
#include "gesso/core/dtype.h"
#include "gesso/core/index.h"
#include "gesso/core/size2d.h"
#include "gesso/core/tensor.h"

namespace gesso {

/// A handle to the bits, in memory from the pool; copies share them. A default-constructed mask is undefined:
/// the relu was open everywhere.
class ReluMask {
 public:
  ReluMask() = default;
  /// Contents undefined.
  ReluMask(Index batch, Index channels, Size2d size);

  bool defined() const { return bytes_ != nullptr; }
  Index batch() const { return batch_; }
  Index channels() const { return channels_; }
  Size2d size() const { return size_; }  ///< of a picture

  Index pairs() const { return (channels_ + 1) / 2; }
  Index pair_bytes() const { return (size_.height + 3) / 4 * size_.width; }
  /// The rows of channels 2 pair and 2 pair + 1 of sample n.
  std::uint8_t* rows(Index n, Index pair) { return bytes_.get() + (n * pairs() + pair) * pair_bytes(); }
  const std::uint8_t* rows(Index n, Index pair) const {
    return bytes_.get() + (n * pairs() + pair) * pair_bytes();
  }

 private:
  Index batch_ = 0, channels_ = 0;
  Size2d size_ = 0;
  std::shared_ptr<std::uint8_t> bytes_;
};

/// The relu after a convolution.
struct FusedRelu {
  bool on = false;           ///< y = max(y, 0); NaN stays NaN
  ReluMask* mask = nullptr;  ///< where it was open is written there (a mask of the shape of y), unless null
};

/// The relu as a pass of its own over the result of a convolution, for algorithms that do not fuse it.
template <class T>
void apply_relu(const FusedRelu& relu, const ConvolutionShape& shape, T* y);

/// dz[p - begin] = dy[p] where the mask is set, 0 elsewhere, for pixels begin <= p < begin + count of one channel of sample
/// n, counted row by row; dy is the whole channel.
template <class T>
void mask_pixels(const ReluMask& mask, Index n, Index channel, Index begin, Index count, const T* dy, T* dz);

/// dz = dy where the mask is set, 0 elsewhere.
template <class T>
void apply_relu_mask(const ReluMask& mask, const T* dy, T* dz);

/// dy as a mask lets it through: a masked copy, or dy itself where the mask is undefined.
template <class T>
class MaskedGradient {
 public:
  MaskedGradient(const ReluMask& mask, const T* dy);

  const T* data() const { return data_; }
  T operator[](Index i) const { return data_[i]; }

 private:
  Tensor copy_;
  const T* data_;
};

}  // namespace gesso
