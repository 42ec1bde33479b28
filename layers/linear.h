// The fully connected layer.
#pragma once

#include "gesso/autograd/linear.h"
#include "gesso/core/generator.h"
#include "gesso/layers/module.h"

namespace gesso {

struct LinearOptions {
  bool bias = true;
};

/// x weight^T + bias: (..., in) to (..., out). Parameters: weight (out, in), bias (out). Both begin as in
/// PyTorch, uniform within 1 / sqrt(in).
class Linear : public Module {
 public:
  using Options = LinearOptions;

  /// Throws ArgumentError unless `in` and `out` are at least 1.
  Linear(Index in, Index out, const LinearOptions& options, Generator& rng);
  Linear(Index in, Index out, Generator& rng) : Linear(in, out, {}, rng) {}

  Tensor forward(const Tensor& x) override { return linear(x, effective_weight(), bias); }
  std::string extra_repr() const override;
  /// What it multiplies by now: weight, unless a derived layer computes it (weighted_layer.h).
  virtual Tensor effective_weight() const { return weight; }

  Tensor weight, bias;  ///< bias is undefined when switched off
};

}  // namespace gesso
