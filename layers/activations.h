// Activations as layers, for use in a Sequential; elsewhere the functions of autograd/elementwise.h will do.
#pragma once

#include "gesso/autograd/elementwise.h"
#include "gesso/layers/module.h"

namespace gesso {

/// max(x, 0)
class ReLU : public Module {
 public:
  Tensor forward(const Tensor& x) override { return relu(x); }
};

/// x where it is positive, else `slope` times x.
class LeakyReLU : public Module {
 public:
  explicit LeakyReLU(double slope = 0.01) : slope_(slope) {}
  Tensor forward(const Tensor& x) override { return leaky_relu(x, slope_); }
  std::string extra_repr() const override { return concat_text("negative_slope=", slope_); }

 private:
  double slope_;
};

class Tanh : public Module {
 public:
  Tensor forward(const Tensor& x) override { return tanh(x); }
};

/// 1 / (1 + exp(-x))
class Sigmoid : public Module {
 public:
  Tensor forward(const Tensor& x) override { return sigmoid(x); }
};

}  // namespace gesso
