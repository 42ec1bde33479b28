#include "gradient_probe.h"

#include <algorithm>
#include <cmath>

#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/autograd/reduce.h"
#include "gesso/core/error.h"

namespace gesso {
namespace {

using Tensors = std::vector<Tensor>;

// Returns the loss, and the gradients in `gradients`.
double differentiate(const Tensors& parameters, const std::function<Tensor()>& loss, Tensors& gradients) {
  for (Tensor parameter : parameters) {
    parameter.zero_grad();
  }
  const Tensor value = loss();
  value.backward();
  gradients.clear();
  for (Tensor parameter : parameters) {
    const Tensor gradient = parameter.grad();
    gradients.push_back(gradient.defined() ? gradient.clone()
                                           : Tensor::zeros(parameter.shape(), parameter.dtype()));
    parameter.zero_grad();
  }
  return value.item();
}

// |a - b|, over all tensors; |a| without b.
double distance(const Tensors& a, const Tensors& b = {}) {
  const NoGradGuard no_grad;
  double squares = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double one = norm(b.empty() ? a[i] : a[i] - b[i]).item();
    squares += one * one;
  }
  return std::sqrt(squares);
}

}  // namespace

GradientProbe probe_gradient(const Tensors& parameters, const std::function<Tensor()>& loss,
                             const std::vector<double>& step_sizes) {
  require(!parameters.empty() && !step_sizes.empty(), "probe_gradient: there are ", parameters.size(),
          " parameters and ", step_sizes.size(), " step sizes; give at least one of each");
  for (const double eta : step_sizes) {
    require(eta > 0, "probe_gradient: a step size is ", eta, "; it must be positive");
  }
  Tensors before, gradients, there;
  for (const Tensor& parameter : parameters) {
    before.push_back(parameter.detach().clone());
  }
  GradientProbe probe{.loss = differentiate(parameters, loss, gradients)};
  probe.gradient_norm = distance(gradients);
  probe.lowest = std::numeric_limits<double>::infinity();
  probe.highest = -probe.lowest;
  for (const double eta : step_sizes) {
    {
      const NoGradGuard no_grad;
      for (std::size_t i = 0; i < parameters.size(); ++i) {
        Tensor parameter = parameters[i];
        parameter.copy_(before[i]);
        parameter.add_(gradients[i], -eta);
      }
    }
    const double moved = differentiate(parameters, loss, there), change = distance(there, gradients);
    probe.lowest = std::min(probe.lowest, moved);
    probe.highest = std::max(probe.highest, moved);
    probe.gradient_change = std::max(probe.gradient_change, change / probe.gradient_norm);
    probe.smoothness = std::max(probe.smoothness, change / (eta * probe.gradient_norm));
  }
  const NoGradGuard no_grad;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    Tensor parameter = parameters[i];
    parameter.copy_(before[i]);
  }
  return probe;
}

}  // namespace gesso
