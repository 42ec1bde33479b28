// Group normalization (Wu and He 2018, arXiv 1803.08494) and layer normalization (Ba, Kiros and Hinton 2016,
// arXiv 1607.06450): each sample by itself, in training and evaluation alike.
//
// Read core/normalization/plain.h first: it defines what the layers compute.
#pragma once

#include "gesso/layers/normalization/layer.h"

namespace gesso {

/// As in PyTorch.
struct GroupNormOptions {
  double eps = 1e-5;
  bool affine = true;  ///< with a trained gamma (weight) and beta (bias) for each channel
};

/// The channels of a sample in `groups` groups, each group by its own mean and variance. One group for each
/// channel is instance norm; one group in all is what convolutional networks call layer norm.
///
///     GroupNorm norm(8, 32);
///     Tensor y = norm(x);  // (N, 32, ...)
///
/// Parameters: weight and bias (channels), beginning as 1 and 0. forward() throws ArgumentError for rank < 2,
/// another channel count, and one sample with one value for each group.
class GroupNorm : public NormalizationLayer {
 public:
  using Options = GroupNormOptions;

  /// Throws ArgumentError unless `groups` divides `channels`.
  GroupNorm(Index groups, Index channels, const GroupNormOptions& options = {});

  Index groups() const { return groups_; }
  Index channels() const { return channels_; }

  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;
  Shape batched_shape(const Shape& x) const override;
  std::vector<NormalizationPart> parts(const Shape& batched) const override;

  Tensor weight, bias;  ///< undefined unless affine

 private:
  Index groups_, channels_;
};

/// As in PyTorch.
struct LayerNormOptions {
  double eps = 1e-5;
  bool elementwise_affine = true;  ///< with a trained gamma (weight) and beta (bias) for each element
};

/// The last dimensions of x, of sizes `normalized_shape`, by their own mean and variance.
///
///     LayerNorm norm({64});
///     Tensor y = norm(x);  // (..., 64)
///
/// Parameters: weight and bias of shape normalized_shape, beginning as 1 and 0. forward() throws
/// ArgumentError unless x ends in normalized_shape.
class LayerNorm : public NormalizationLayer {
 public:
  using Options = LayerNormOptions;

  /// Throws ArgumentError for an empty normalized_shape or a size below 1.
  explicit LayerNorm(const Shape& normalized_shape, const LayerNormOptions& options = {});

  const Shape& normalized_shape() const { return normalized_shape_; }

  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;
  Shape batched_shape(const Shape& x) const override;
  std::vector<NormalizationPart> parts(const Shape& batched) const override;

  Tensor weight, bias;  ///< undefined unless elementwise_affine

 private:
  Shape normalized_shape_;
};

}  // namespace gesso
