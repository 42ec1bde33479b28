// The statistics of a picture that comes a block of rows at a time: compute_statistics() for what no memory holds.
#pragma once

#include <vector>

#include "gesso/core/normalization/moments.h"
#include "gesso/core/normalization/normalization.h"

namespace gesso {

/// Gathers the statistics of one float32 sample (1, C, H, W) from its rows, with the bits of compute_statistics(): planes
/// are cut into the same pieces, which are merged in the same order. Of each plane it keeps less than two pieces and,
/// where a statistic is over several channels, the moments of each piece.
class StatisticsOfRows {
 public:
  /// `axes` are those of the whole sample. Throws ArgumentError for several samples, and for a gamma and beta per element.
  explicit StatisticsOfRows(const NormalizationAxes& axes);

  /// The next rows of all channels, x (C, elements), from the first on: `elements` are rows times W.
  void add(const float* x, Index elements);

  /// After the last row.
  void finish(double eps, StatisticsOut out);

 private:
  // The elements of a channel, in the pieces into which its statistic's elements are cut.
  struct Channel {
    Index to_first_piece;           // elements before the first piece that begins in the channel
    Index seen = 0;                 // elements
    std::vector<float> head = {};   // those before the first piece
    std::vector<float> piece = {};  // those of a piece that has begun
    std::vector<Moments> pieces = {};
    Moments all = {};  // of the pieces; where a statistic has several channels, in `pieces` instead
  };
  void add(Channel& channel, const float* x, Index elements);

  NormalizationAxes axes_;
  std::vector<Channel> channels_;
};

}  // namespace gesso
