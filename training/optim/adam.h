// Adam (Kingma and Ba 2015, arXiv 1412.6980) and AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101).
#pragma once

#include "gesso/training/optim/optimizer.h"

namespace gesso {

struct AdamOptions {
  double lr = 1e-3;         ///< learning rate: about the largest change of a parameter in a step
  double beta1 = 0.9;       ///< how much of the mean of gradients is kept, in [0, 1)
  double beta2 = 0.999;     ///< how much of the mean of squared gradients is kept, in [0, 1)
  double eps = 1e-8;        ///< added to the square root; see below for 0
  double weight_decay = 0;  ///< times the parameter, added to the gradient
};

/// As PyTorch's Adam. With parameter p and gradient g, at step t = 1, 2, ...:
///     g = g + weight_decay p
///     m = beta1 m + (1 - beta1) g     (exp_avg)
///     v = beta2 v + (1 - beta2) g^2   (exp_avg_sq)
///     p = p - lr / (1 - beta1^t) m / (sqrt(v) / sqrt(1 - beta2^t) + eps)
///
/// Averages that fade become 0 instead of subnormal, which would make all later steps slower (they are looked
/// through every 16 steps). With eps = 0 a step is m / 0, infinite or NaN, where v is 0: where gradients were 0,
/// or so small (below 1e-18 in float32) that their squares are; keep eps above 0.
class Adam : public Optimizer {
 public:
  /// Throws ArgumentError for options out of range (lr, eps, weight_decay finite and not negative).
  explicit Adam(std::vector<Tensor> parameters, const AdamOptions& options = {})
      : Adam({{std::move(parameters), options}}) {}
  /// Several groups of parameters, each with its options.
  explicit Adam(const std::vector<ParameterGroup<AdamOptions>>& groups) : Adam("Adam", groups, false) {}

 protected:
  Adam(const char* name, const std::vector<ParameterGroup<AdamOptions>>& groups, bool decoupled);

 private:
  void update(std::size_t i, Index begin, Index end) override;

  std::vector<AdamOptions> options_;  // of each parameter
  bool decoupled_;
};

struct AdamWOptions {
  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0.01;  ///< each step shrinks a parameter by lr weight_decay of itself
};

/// Adam with the weight decay taken out of the gradient: p = (1 - lr weight_decay) p, then a step of Adam
/// without weight decay.
class AdamW : public Adam {
 public:
  explicit AdamW(std::vector<Tensor> parameters, const AdamWOptions& options = {})
      : AdamW({{std::move(parameters), options}}) {}
  explicit AdamW(const std::vector<ParameterGroup<AdamWOptions>>& groups);
};

}  // namespace gesso
