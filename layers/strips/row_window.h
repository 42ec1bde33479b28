// The rows of a stream around a place, for what reads more than one strip at once.
#pragma once

#include <deque>

#include "gesso/core/padding_mode.h"
#include "gesso/layers/strips/row_stream.h"

namespace gesso {

/// Keeps strips of `source` for as long as they are wanted.
class RowWindow {
 public:
  explicit RowWindow(RowStreamPointer source) : source_(std::move(source)) {}

  const PlanesSize& size() const { return source_->size(); }

  /// A copy of rows begin <= i < end, (1, channels, end - begin, width); outside the picture what the padding mode shows
  /// there. Reads on as far as needed.
  Tensor rows(Index begin, Index end, PaddingMode outside = PaddingMode::zeros);
  /// Rows before this one will not be wanted any more.
  void forget_before(Index row);

 private:
  struct Strip {
    Index begin, end;
    Tensor rows;
  };
  void read_until(Index row);

  RowStreamPointer source_;
  std::deque<Strip> strips_;
  Index read_ = 0;  // rows
};

}  // namespace gesso
