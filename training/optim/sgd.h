// Stochastic gradient descent.
#pragma once

#include "gesso/training/optim/optimizer.h"

namespace gesso {

struct SGDOptions {
  double lr = 1e-3;         ///< learning rate
  double momentum = 0;      ///< how much of the running sum is kept; 0 keeps none and needs no memory
  double dampening = 0;     ///< 1 - dampening of a gradient enters the running sum
  bool nesterov = false;    ///< look ahead along the running sum; needs momentum and no dampening
  double weight_decay = 0;  ///< times the parameter, added to the gradient
};

/// As PyTorch's SGD. With parameter p and gradient g:
///     g = g + weight_decay p
///     b = g at the first step, then momentum b + (1 - dampening) g   (momentum_buffer)
///     g = nesterov ? g + momentum b : b                              (these two only with momentum)
///     p = p - lr g
class SGD : public Optimizer {
 public:
  /// Throws ArgumentError for options out of range (each must be finite and not negative).
  explicit SGD(std::vector<Tensor> parameters, const SGDOptions& options = {})
      : SGD({{std::move(parameters), options}}) {}
  /// Several groups of parameters, each with its options.
  explicit SGD(const std::vector<ParameterGroup<SGDOptions>>& groups);

 private:
  void update(std::size_t i, Index begin, Index end) override;

  std::vector<SGDOptions> options_;  // of each parameter
};

}  // namespace gesso
