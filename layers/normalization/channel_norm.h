// The base of instance norm and batch norm.
#pragma once

#include "gesso/layers/normalization/layer.h"

namespace gesso {

/// What instance norm and batch norm share: a gamma and a beta for each channel, running statistics, and a
/// choice of statistics.
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
    bool unbatched;  ///< whether the lower one is a sample without batch dimension
  };
  struct Options {
    double eps;
    std::optional<double> momentum;
    bool affine, track_running_stats, relu;
  };
  ChannelNorm(Index channels, Statistics own, Ranks ranks, const Options& options);

  Statistics default_statistics() const override;
  void require_statistics(Statistics statistics) const override;

  Tensor normalize(const Tensor& x) override {
    return normalize_by(statistics(), x, weight, bias, options());
  }
  /// x by the given statistics, and the running ones updated in training.
  Tensor normalize_by(Statistics used, const Tensor& x, const Tensor& gamma, const Tensor& beta,
                      NormalizeOptions how);

 private:
  Index channels_;
  Statistics own_;  // of the input: what the member is named after
  Ranks ranks_;
  std::optional<double> momentum_;
};

}  // namespace gesso
