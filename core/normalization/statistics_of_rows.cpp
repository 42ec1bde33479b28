#include "gesso/core/normalization/statistics_of_rows.h"

#include <algorithm>

#include "gesso/core/error.h"
#include "gesso/core/parallel.h"

namespace gesso {

StatisticsOfRows::StatisticsOfRows(const NormalizationAxes& axes) : axes_(axes) {
  require(axes.samples == 1, "statistics of rows: of one sample at a time, not ", axes.samples);
  require(axes.rows != AffineRows::per_element,
          "statistics of rows: layers with a gamma and beta for each element need the whole sample");
  const Index per_statistic = axes.channels / axes.groups;
  for (Index c = 0; c < axes.channels; ++c) {
    const Index begin = c % per_statistic * axes.inner % kMomentsPiece;
    channels_.push_back({.to_first_piece = begin == 0 ? 0 : std::min(axes.inner, kMomentsPiece - begin)});
  }
}

void StatisticsOfRows::add(const float* x, Index elements) {
  parallel_for(axes_.channels, 1, [&](Index c, Index) { add(channels_[c], x + c * elements, elements); });
}

void StatisticsOfRows::add(Channel& channel, const float* x, Index elements) {
  const float* const end = x + elements;
  const auto keep = [&](std::vector<float>& kept, Index room) {
    const Index count = std::min<Index>(end - x, room - std::ssize(kept));
    kept.insert(kept.end(), x, x + count);
    x += count;
  };
  const auto complete = [&](const Moments& piece) {
    axes_.channels == axes_.groups ? channel.all.merge(piece) : channel.pieces.push_back(piece);
  };
  channel.seen += elements;
  if (std::ssize(channel.head) < channel.to_first_piece) {
    keep(channel.head, channel.to_first_piece);
  }
  while (x < end) {
    if (channel.piece.empty() && end - x >= kMomentsPiece) {
      complete(moments(x, kMomentsPiece));
      x += kMomentsPiece;
      continue;
    }
    keep(channel.piece, kMomentsPiece);
    if (std::ssize(channel.piece) == kMomentsPiece) {
      complete(moments(channel.piece.data(), kMomentsPiece));
      channel.piece.clear();
    }
  }
}

void StatisticsOfRows::finish(double eps, StatisticsOut out) {
  const Index per_statistic = axes_.channels / axes_.groups;
  for (Index s = 0; s < axes_.groups; ++s) {
    Moments all;
    std::vector<float> between;  // a piece that goes on in the next channel
    const auto complete_between = [&] {
      all.merge(moments(between.data(), std::ssize(between)));
      between.clear();
    };
    for (Index c = s * per_statistic; c < (s + 1) * per_statistic; ++c) {
      const Channel& channel = channels_[c];
      require(channel.seen == axes_.inner, "statistics of rows: ", channel.seen, " elements of ", axes_.inner,
              " came");
      between.insert(between.end(), channel.head.begin(), channel.head.end());
      if (std::ssize(between) == kMomentsPiece) {
        complete_between();
      }
      all.merge(channel.all);
      for (const Moments& piece : channel.pieces) {
        all.merge(piece);
      }
      between.insert(between.end(), channel.piece.begin(), channel.piece.end());
    }
    if (!between.empty()) {
      complete_between();
    }
    if (!axes_.centred) {
      all = all.about_zero();
    }
    out.mean[s] = all.mean;
    out.variance[s] = all.variance();
    inverse_std(&out.variance[s], 1, eps, &out.inv_std[s]);
  }
}

}  // namespace gesso
