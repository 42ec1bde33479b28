// The base of instance norm and batch norm. Read core/normalization/plain.h first: it defines both.
#pragma once

#include "gesso/layers/normalization/layer.h"

namespace gesso {

/// What instance norm and batch norm keep: a gamma and a beta for each channel, and running statistics.
class ChannelNorm : public NormalizationLayer {
 public:
  std::string extra_repr() const override;
  Shape batched_shape(const Shape& x) const override;
  std::vector<NormalizationPart> parts(const Shape& batched) const override;

  Index channels() const { return channels_; }
  /// running_mean = 0, running_var = 1, num_batches_tracked = 0.
  void reset_running_stats();

  Tensor weight, bias;               ///< gamma and beta, (C), begin as 1 and 0; undefined unless affine
  Tensor running_mean, running_var;  ///< (C), begin as 0 and 1; undefined unless tracked
  Tensor num_batches_tracked;        ///< a float64 scalar; undefined unless tracked

 protected:
  struct Ranks {
    int low, high;   ///< of x
    bool unbatched;  ///< whether the lower one is a sample without a batch dimension
  };
  struct Options {
    double eps;
    std::optional<double> momentum;
    bool affine, track_running_stats, synchronized = true;
  };
  ChannelNorm(Index channels, Statistics own, Ranks ranks, const Options& options);

  Statistics default_statistics() const override;
  void require_statistics(Statistics statistics) const override;

  /// The running statistics that forward() normalizes with or, in training, moves; else undefined.
  RunningStatistics running() const;
  /// eps, and the share that the next batch gets in the running statistics.
  NormalizeOptions options() const;

 private:
  Index channels_;
  Statistics own_;  // of the input: what the member is named after
  Ranks ranks_;
  std::optional<double> momentum_;
  bool synchronized_;
};

}  // namespace gesso
