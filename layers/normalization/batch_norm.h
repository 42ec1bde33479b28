// Batch normalization: every channel by its mean and variance over the whole batch in training, by running
// ones in use. Ioffe and Szegedy 2015, "Batch Normalization: Accelerating Deep Network Training by Reducing
// Internal Covariate Shift", arXiv 1502.03167.
//
// Read core/normalization/plain.h first: it defines what the layer computes.
#pragma once

#include "gesso/autograd/batch_share.h"
#include "gesso/layers/normalization/channel_norm.h"

namespace gesso {

/// As in PyTorch.
struct BatchNormOptions {
  double eps = 1e-5;  ///< added to the variance, inside the square root
  /// running = (1 - momentum) running + momentum seen; std::nullopt averages all batches seen alike
  std::optional<double> momentum = 0.1;
  bool affine = true;               ///< with a trained gamma (weight) and beta (bias) for each channel
  bool track_running_stats = true;  ///< collect them in training and use them in evaluation
  /// In a training on several processes (autograd/batch_share.h): statistics of all samples of the batch, the same bits
  /// on any number of processes; false: each process has those of its own samples, and the running ones collect their
  /// mean over samples. With a sample on each process that *is* instance norm in training. PyTorch: SyncBatchNorm, and
  /// BatchNorm under DistributedDataParallel.
  bool synchronized = true;
};

/// y = weight (x - mean) / sqrt(variance + eps) + bias, mean and biased variance of each channel.
///
///     BatchNorm2d norm(32);
///     Tensor y = norm(x);  // per_batch, and the running statistics move
///     norm.eval();
///     y = norm(x);         // running
///
/// Statistics: per_batch in training; in eval() running, or per_batch without track_running_stats. The
/// running variance is unbiased. forward() throws ArgumentError for a wrong rank or channel count, and for
/// one value per channel in training.
class BatchNorm : public ChannelNorm {
 public:
  Tensor forward(const Tensor& x) override { return normalize(batched(x), weight, activation()); }

 protected:
  BatchNorm(Index channels, int low_rank, int high_rank, const BatchNormOptions& options)
      : ChannelNorm(channels, Statistics::per_batch, {low_rank, high_rank, false},
                    {.eps = options.eps,
                     .momentum = options.momentum,
                     .affine = options.affine,
                     .track_running_stats = options.track_running_stats,
                     .synchronized = options.synchronized}) {}

  /// forward() with this gamma and activation.
  Tensor normalize(const Tensor& x, const Tensor& gamma, Activation activation) {
    Tensor y = statistics() == Statistics::per_instance  // by set_statistics()
                   ? instance_norm(x, gamma, bias, running(), true, options(), activation)
                   : batch_norm(x, running(), gamma, bias, statistics() == Statistics::per_batch, options(),
                                activation);
    // Where a batch is shared out, a rank may have none of its samples, and counts the batch.
    const bool empty = x.shape().numel(1, x.rank()) == 0 || (x.size(0) == 0 && !BatchShare::current());
    if (is_training() && statistics() != Statistics::running && num_batches_tracked.defined() && !empty) {
      num_batches_tracked.fill_(num_batches_tracked.item() + 1);
    }
    return y;
  }
};

/// x of shape (N, C) or (N, C, L).
class BatchNorm1d : public BatchNorm {
 public:
  using Options = BatchNormOptions;

  explicit BatchNorm1d(Index channels, const BatchNormOptions& options = {})
      : BatchNorm(channels, 2, 3, options) {}
};

/// x of shape (N, C, H, W).
class BatchNorm2d : public BatchNorm {
 public:
  using Options = BatchNormOptions;

  explicit BatchNorm2d(Index channels, const BatchNormOptions& options = {})
      : BatchNorm(channels, 4, 4, options) {}
};

}  // namespace gesso
