// Checking gradients by finite differences.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "gesso/core/tensor.h"

namespace gesso {

struct GradcheckOptions {
  double step = 1e-5;  ///< h in (f(x + h) - f(x - h)) / 2h, scaled by max(1, |x|)
  double rtol = 1e-5;  ///< relative tolerance
  double atol = 1e-7;  ///< absolute tolerance, in units of the largest gradient of the tensor (at least 1)
  std::uint64_t seed = 1;    ///< draws the upstream gradient, normally distributed
  Index max_elements = 400;  ///< of a larger tensor only this many are checked, drawn from the seed
  /// Tensors that the function reads besides the inputs, by name: a layer's named_parameters(). All are
  /// checked.
  std::vector<std::pair<std::string, Tensor>> parameters = {};
};

/// What gradcheck found; converts to whether all is well.
struct GradcheckResult {
  bool ok = false;
  Index checked = 0;          ///< elements compared
  std::string worst_tensor;   ///< "input 0" or the parameter's name
  std::string worst_index;    ///< "(0, 2, 1)"
  double worst_analytic = 0;  ///< what backward() gave there
  double worst_numeric = 0;   ///< what finite differences gave there
  double worst_error = 0;     ///< |analytic - numeric| / (atol + rtol |numeric|); at most 1 is fine

  /// A readable verdict: "ok: 24 gradients, worst ..." or "WRONG: ...".
  std::string str() const;
  explicit operator bool() const { return ok; }
};

/// Compares backward() with central differences for every input and parameter of `function` that requires a
/// gradient, under a non-uniform upstream gradient u: both are d(sum(u * function(inputs)))/dx. Inputs that
/// require none are passed on as they are. Existing gradients are cleared. Throws ArgumentError unless
/// everything checked is float64, and when there is nothing to check.
GradcheckResult gradcheck(const std::function<Tensor(const std::vector<Tensor>&)>& function,
                          const std::vector<Tensor>& inputs, const GradcheckOptions& options = {});

}  // namespace gesso
