// How a loss and its gradient change along the gradient's direction: what normalization does to optimisation is measured by
// that (Santurkar et al. 2018, arXiv 1805.11604, section 3.1 and figure 4).
#pragma once

#include <functional>
#include <vector>

#include "gesso/core/tensor.h"

namespace gesso {

/// With x the parameters, L the loss, g its gradient at x, and eta each of the step sizes:
struct GradientProbe {
  double loss = 0;           ///< L(x)
  double lowest = 0;         ///< the least L(x - eta g)
  double highest = 0;        ///< the largest
  double gradient_norm = 0;  ///< |g|
  /// The largest |g(x - eta g) - g| / |g|: how badly the gradient foretells the one after the step.
  double gradient_change = 0;
  /// The largest |g(x - eta g) - g| / |eta g|: the gradient's Lipschitz constant along the step ("effective
  /// beta-smoothness").
  double smoothness = 0;
};

/// Probes `loss`, which computes L at the parameters as they are. Leaves the parameters as they were, bit for bit, and their
/// gradients cleared. A parameter that the loss does not depend on counts as one with the gradient 0. Throws ArgumentError
/// without parameters or step sizes, and for a step size that is not positive.
GradientProbe probe_gradient(const std::vector<Tensor>& parameters, const std::function<Tensor()>& loss,
                             const std::vector<double>& step_sizes);

}  // namespace gesso
