// Pictures that go by from top to bottom, a strip of rows at a time.
#pragma once

#include <memory>

#include "gesso/core/tensor.h"

namespace gesso {

/// The size of a picture (1, channels, height, width).
struct PlanesSize {
  Index channels = 0, height = 0, width = 0;

  bool operator==(const PlanesSize&) const = default;
  Index numel() const { return channels * height * width; }
};

/// A float32 picture, strip by strip: each has as many rows as was agreed, the last what is left.
class RowStream {
 public:
  explicit RowStream(const PlanesSize& size) : size_(size) {}
  virtual ~RowStream() = default;

  const PlanesSize& size() const { return size_; }
  /// The next strip, (1, channels, rows, width). Not to be called after the last.
  virtual Tensor next() = 0;

 private:
  PlanesSize size_;
};

using RowStreamPointer = std::unique_ptr<RowStream>;

}  // namespace gesso
