// Batch-instance normalization: each channel learns how much of its style to throw away. Nam and Kim 2018,
// "Batch-Instance Normalization for Adaptively Style-Invariant Neural Networks", arXiv 1805.07925.
//
// Read core/normalization/plain.h first: it defines what both of its parts compute.
#pragma once

#include "gesso/layers/normalization/batch_norm.h"

namespace gesso {

/// A mix of batch norm and instance norm, with a trained share of batch norm, rho in [0, 1], for each
/// channel:
///
///     y = weight (rho x-hat[batch] + (1 - rho) x-hat[instance]) + bias
///
/// rho begins as 1 and, as in the paper (eq. 5), is put back into [0, 1] at the next forward() after an
/// optimiser has moved it out. Options and running statistics are batch norm's; statistics() are those of the
/// batch part (the instance part's are always per_instance). x has shape (N, C, H, W). Parameters: weight,
/// bias and rho (C).
class BatchInstanceNorm2d : public BatchNorm {
 public:
  using Options = BatchNormOptions;

  explicit BatchInstanceNorm2d(Index channels, const BatchNormOptions& options = {});

  Tensor forward(const Tensor& x) override;
  std::vector<NormalizationPart> parts(const Shape& batched) const override;

  Tensor rho;

 protected:
  void require_statistics(Statistics statistics) const override;

 private:
  /// gamma of the batch part and of the instance part.
  std::pair<Tensor, Tensor> gammas() const;
};

}  // namespace gesso
