// Root mean square normalization: layer norm without the mean. Zhang and Sennrich 2019, "Root Mean Square
// Layer Normalization", arXiv 1910.07467.
//
// Read core/normalization/plain.h first: it defines what the layer computes.
#pragma once

#include "gesso/layers/normalization/layer.h"

namespace gesso {

/// As in PyTorch.
struct RMSNormOptions {
  std::optional<double> eps = {};  ///< added to the mean square; none: the machine epsilon of x's dtype
  bool elementwise_affine = true;  ///< with a trained gamma (weight) for each element
};

/// The last dimensions of x, of sizes `normalized_shape`, divided by their root mean square:
///
///     y = weight x / sqrt(mean(x^2) + eps)
///
///     RMSNorm norm({64});
///     Tensor y = norm(x);  // (..., 64)
///
/// Parameter: weight of shape normalized_shape, beginning as 1; there is no bias. forward() throws
/// ArgumentError unless x ends in normalized_shape.
class RMSNorm : public NormalizationLayer {
 public:
  using Options = RMSNormOptions;

  /// Throws ArgumentError for an empty normalized_shape, a size below 1, and a negative eps.
  explicit RMSNorm(const Shape& normalized_shape, const RMSNormOptions& options = {});

  const Shape& normalized_shape() const { return normalized_shape_; }

  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;
  Shape batched_shape(const Shape& x) const override;
  std::vector<NormalizationPart> parts(const Shape& batched) const override;

  Tensor weight;  ///< undefined unless elementwise_affine

 private:
  Shape normalized_shape_;
};

}  // namespace gesso
