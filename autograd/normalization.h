// The normalization family as functions of tensors, with PyTorch's semantics (torch.nn.functional):
//
//     y = weight (x - mean) / sqrt(variance + eps) + bias
//
// with the biased variance, and then the activation. Which elements share a mean and a variance is what tells
// the members apart. Read core/normalization/plain.h first: it defines forward and backward. The layers in
// layers/ hold the weights and choose the arguments; use these when the weights come from elsewhere. Backward
// keeps x and two numbers per statistic, nothing else; for the relu it needs no memory.
//
// Where a batch is shared out among processes, x holds the process's own samples; results, the gradients of weight and
// bias, and running statistics are those of the whole batch, bit for bit.
//
// An empty batch gives an empty result, gradients of 0 for weight and bias, and leaves running statistics as they
// are. Finite numbers of any size are normalized without overflow; running statistics of T hold variances that T
// can hold. x of one element a statistic has the gradient 0 exactly.
#pragma once

#include <optional>
#include <vector>

#include "gesso/core/activation.h"
#include "gesso/core/tensor.h"

namespace gesso {

/// What every member takes. `momentum` is the share of the new value in running statistics:
/// running = (1 - momentum) running + momentum seen.
struct NormalizeOptions {
  double eps = 1e-5;
  double momentum = 0.1;
  /// Where a batch is shared out among processes (batch_share.h), batch norm's statistics are those of all its samples;
  /// false: of the process's own, as if they were the whole batch.
  bool synchronized = true;
};

/// Running mean and variance of each channel, shape (C); both undefined when none are kept. Handles: the
/// functions below update the tensors they refer to.
struct RunningStatistics {
  Tensor mean;
  Tensor variance;  ///< unbiased
};

/// Instance norm: each (n, c) plane of x (N, C, ...) by its own mean and variance if `use_input_stats`, else
/// each channel by the running ones. `weight` and `bias` have shape (C), or (N, C) to give every sample a row
/// of its own; either may be undefined. If `running` is given together with use_input_stats, it is updated
/// with the mean over N of the planes' means and unbiased variances. Throws ArgumentError for rank < 3,
/// planes of one element (their variance is 0, the result would be bias), shapes that do not fit, and for
/// missing running statistics without use_input_stats.
Tensor instance_norm(const Tensor& x, const Tensor& weight = {}, const Tensor& bias = {},
                     const RunningStatistics& running = {}, bool use_input_stats = true,
                     const NormalizeOptions& options = {}, Activation activation = Activation::none);

/// Batch norm: each channel c of x (N, C, ...) by the mean and variance over all samples and positions if
/// `training`, else by the running ones. `weight` and `bias` (C) may be undefined. If `running` is given
/// together with training, it is updated. Throws ArgumentError for rank < 2, for exactly one value per channel
/// in training, shapes that do not fit, and for missing running statistics without training.
Tensor batch_norm(const Tensor& x, const RunningStatistics& running, const Tensor& weight = {},
                  const Tensor& bias = {}, bool training = false, const NormalizeOptions& options = {},
                  Activation activation = Activation::none);

/// Group norm (Wu and He 2018): channels of a sample in `groups` groups of C / groups, each by its own mean
/// and variance. `weight` and `bias` (C) may be undefined. Throws ArgumentError for rank < 2, groups that do
/// not divide C, and one value per group.
Tensor group_norm(const Tensor& x, Index groups, const Tensor& weight = {}, const Tensor& bias = {},
                  const NormalizeOptions& options = {}, Activation activation = Activation::none);

/// Layer norm (Ba, Kiros and Hinton 2016): the last dimensions, whose sizes are `normalized_shape`, by their
/// own mean and variance. `weight` and `bias` have that shape and may be undefined. Throws ArgumentError
/// unless x ends in normalized_shape.
Tensor layer_norm(const Tensor& x, const Shape& normalized_shape, const Tensor& weight = {},
                  const Tensor& bias = {}, const NormalizeOptions& options = {},
                  Activation activation = Activation::none);

/// RMS norm (Zhang and Sennrich 2019, arXiv 1910.07467): the last dimensions, whose sizes are
/// `normalized_shape`, divided by their root mean square, without a mean and without a bias:
///
///     y = weight x / sqrt(mean(x^2) + eps)
///
/// and then the activation. `weight` has that shape and may be undefined. eps is PyTorch's: without one, the
/// machine epsilon of x's dtype. Throws ArgumentError unless x ends in normalized_shape.
Tensor rms_norm(const Tensor& x, const Shape& normalized_shape, const Tensor& weight = {},
                std::optional<double> eps = {}, Activation activation = Activation::none);

/// The distance from 1 to the next number of a dtype: 1.19e-07 in float32, 2.22e-16 in float64.
double machine_epsilon(DType dtype);

/// Adaptive instance norm (Huang and Belongie 2017, arXiv 1703.06868, eq. 8): the planes of `content` (N, C,
/// ...) get the mean and the standard deviation of those of `style` (N, C, ...), or of the one style (1, C,
/// ...):
///
///     y = std(style) (content - mean(content)) / std(content) + mean(style)
///
/// where std = sqrt(biased variance + eps), and then the activation.
///
/// The sizes of the planes may differ. Gradients go to both. Throws ArgumentError for rank < 3, channels or
/// samples that do not match, and content planes of one element.
Tensor adaptive_instance_norm(const Tensor& content, const Tensor& style,
                              const NormalizeOptions& options = {}, Activation activation = Activation::none);

}  // namespace gesso
