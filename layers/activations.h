// Activations as layers, for use in a Sequential; elsewhere the functions of autograd/elementwise.h will do.
#pragma once

#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/softmax.h"
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
  double slope() const { return slope_; }

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

/// x sigmoid(x), also called swish.
class SiLU : public Module {
 public:
  Tensor forward(const Tensor& x) override { return silu(x); }
};

/// x Phi(x): GELU gelu; or its approximation, GELU gelu(GeluApproximation::tanh).
class GELU : public Module {
 public:
  explicit GELU(GeluApproximation approximation = GeluApproximation::none) : approximation_(approximation) {}
  Tensor forward(const Tensor& x) override { return gelu(x, approximation_); }
  std::string extra_repr() const override {
    return approximation_ == GeluApproximation::tanh ? "approximate=tanh" : "";
  }
  GeluApproximation approximation() const { return approximation_; }

 private:
  GeluApproximation approximation_;
};

/// x where it is positive, else a trained weight times x: one for all channels, or one for each of `channels`.
/// Parameter: weight (channels), at first `slope`.
class PReLU : public Module {
 public:
  explicit PReLU(Index channels = 1, double slope = 0.25)
      : weight(register_parameter("weight", Tensor::full({channels}, slope))) {}
  Tensor forward(const Tensor& x) override { return prelu(x, weight); }
  std::string extra_repr() const override { return concat_text("num_parameters=", weight.numel()); }

  Tensor weight;
};

/// softmax along a dimension.
class Softmax : public Module {
 public:
  explicit Softmax(int dim) : dim_(dim) {}
  Tensor forward(const Tensor& x) override { return softmax(x, dim_); }
  std::string extra_repr() const override { return concat_text("dim=", dim_); }
  int dim() const { return dim_; }

 private:
  int dim_;
};

}  // namespace gesso
