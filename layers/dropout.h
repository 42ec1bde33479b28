// Dropout layers. What they compute is in autograd/dropout.h.
#pragma once

#include "gesso/autograd/dropout.h"
#include "gesso/layers/module.h"

namespace gesso {

/// dropout() in training mode, x itself in evaluation mode. It draws from `rng`, which must live as long: a training
/// that saves the state of its generator goes on with the same numbers.
class Dropout : public Module {
 public:
  /// Throws ArgumentError unless p is from 0 to 1.
  Dropout(double p, Generator& rng);
  explicit Dropout(Generator& rng) : Dropout(0.5, rng) {}
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override { return concat_text("p=", p_); }

 protected:
  double p_;
  Generator& rng_;
};

/// dropout2d() in training mode, x itself in evaluation mode.
class Dropout2d : public Dropout {
 public:
  using Dropout::Dropout;
  Tensor forward(const Tensor& x) override;
};

}  // namespace gesso
