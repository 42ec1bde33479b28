// Instance normalization: every plane (n, c) of a picture's features by its own mean and variance, in
// training and in use. Ulyanov, Vedaldi and Lempitsky 2016, "Instance Normalization: The Missing Ingredient
// for Fast Stylization", arXiv 1607.08022.
//
// Read core/normalization/plain.h first: it defines what the layer computes.
#pragma once

#include "gesso/layers/normalization/channel_norm.h"

namespace gesso {

/// As in PyTorch.
struct InstanceNormOptions {
  double eps = 1e-5;      ///< added to the variance, inside the square root
  double momentum = 0.1;  ///< running = (1 - momentum) running + momentum seen
  bool affine = false;    ///< with a trained gamma (weight) and beta (bias) for each channel
  /// collect them in training and use them in evaluation, as batch norm does
  bool track_running_stats = false;
};

/// y = weight (x - mean) / sqrt(variance + eps) + bias, mean and biased variance of each (n, c) plane.
///
///     InstanceNorm2d norm(32, {.affine = true});
///     Tensor y = norm(x);  // (N, 32, H, W), or (32, H, W) for one picture
///
/// Statistics: per_instance, in training and evaluation alike; with track_running_stats, running in eval().
/// Running statistics are means over N of the planes' means and unbiased variances. num_batches_tracked is
/// there for PyTorch's state dicts and stays 0, as it does there. forward() throws ArgumentError for a wrong
/// rank or channel count and for planes of one element.
class InstanceNorm : public ChannelNorm {
 public:
  Tensor forward(const Tensor& x) override {
    const Tensor planes = batched(x);
    const Tensor y = statistics() == Statistics::per_batch  // by set_statistics()
                         ? batch_norm(planes, running(), weight, bias, true, options(), activation())
                         : instance_norm(planes, weight, bias, running(),
                                         statistics() == Statistics::per_instance, options(), activation());
    return unbatched(y, x);
  }

 protected:
  InstanceNorm(Index channels, int spatial_rank, const InstanceNormOptions& options)
      : ChannelNorm(channels, Statistics::per_instance, {spatial_rank + 1, spatial_rank + 2, true},
                    {.eps = options.eps,
                     .momentum = options.momentum,
                     .affine = options.affine,
                     .track_running_stats = options.track_running_stats}) {}
};

/// x of shape (N, C, L) or (C, L).
class InstanceNorm1d : public InstanceNorm {
 public:
  using Options = InstanceNormOptions;

  explicit InstanceNorm1d(Index channels, const InstanceNormOptions& options = {})
      : InstanceNorm(channels, 1, options) {}
};

/// x of shape (N, C, H, W) or (C, H, W).
class InstanceNorm2d : public InstanceNorm {
 public:
  using Options = InstanceNormOptions;

  explicit InstanceNorm2d(Index channels, const InstanceNormOptions& options = {})
      : InstanceNorm(channels, 2, options) {}
};

/// x of shape (N, C, D, H, W) or (C, D, H, W).
class InstanceNorm3d : public InstanceNorm {
 public:
  using Options = InstanceNormOptions;

  explicit InstanceNorm3d(Index channels, const InstanceNormOptions& options = {})
      : InstanceNorm(channels, 3, options) {}
};

}  // namespace gesso
