#include "gesso/layers/strips/row_window.h"

#include <algorithm>

#include "gesso/core/parallel.h"

namespace gesso {

Tensor RowWindow::rows(Index begin, Index end, PaddingMode outside) {
  const auto [channels, height, width] = size();
  for (Index i = begin; i < end; ++i) {
    read_until(padding_source(i, height, outside));
  }
  Tensor result = Tensor::empty({1, channels, end - begin, width});
  float* const to = result.mutable_data<float>();
  parallel_for(channels, 1, [&, height = height, width = width](Index c, Index) {
    for (Index i = begin; i < end; ++i) {
      float* const row = to + (c * (end - begin) + i - begin) * width;
      const Index source = padding_source(i, height, outside);
      if (source < 0) {
        std::fill_n(row, width, 0.0F);
        continue;
      }
      const auto strip = std::find_if(strips_.begin(), strips_.end(),
                                      [&](const Strip& s) { return s.begin <= source && source < s.end; });
      require(strip != strips_.end(), "row window: row ", source, " was forgotten");
      const Index inside = c * (strip->end - strip->begin) + source - strip->begin;
      std::copy_n(strip->rows.data<float>() + inside * width, width, row);
    }
  });
  return result;
}

void RowWindow::forget_before(Index row) {
  while (!strips_.empty() && strips_.front().end <= row) {
    strips_.pop_front();
  }
}

void RowWindow::read_until(Index row) {
  while (read_ <= row) {
    Tensor strip = source_->next();
    const Index rows = strip.size(2);
    strips_.push_back({read_, read_ + rows, std::move(strip)});
    read_ += rows;
  }
}

}  // namespace gesso
