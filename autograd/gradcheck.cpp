#include "gesso/autograd/gradcheck.h"

#include <algorithm>
#include <cmath>

#include "gesso/autograd/graph.h"

namespace gesso {
namespace {

// sum(upstream * y), added up in float64.
double weighted_sum(const Tensor& upstream, const Tensor& y) {
  const double* u = upstream.data<double>();
  const double* v = y.data<double>();
  double total = 0;
  for (Index i = 0; i < y.numel(); ++i) {
    total += u[i] * v[i];
  }
  return total;
}

std::string index_text(const Shape& shape, Index offset) {
  std::vector<Index> index(shape.rank());
  for (int d = shape.rank() - 1; d >= 0; --d) {
    index[d] = offset % shape[d];
    offset /= shape[d];
  }
  return Shape(index).str();
}

std::vector<Index> elements_to_check(Index count, const GradcheckOptions& options) {
  std::vector<Index> elements;
  if (count <= options.max_elements) {
    for (Index i = 0; i < count; ++i) {
      elements.push_back(i);
    }
  } else {
    Generator rng(options.seed + 1);
    for (Index i = 0; i < options.max_elements; ++i) {
      elements.push_back(rng.below(count));
    }
  }
  return elements;
}

}  // namespace

std::string GradcheckResult::str() const {
  return concat_text(ok ? "ok: " : "WRONG: ", checked, " gradients; worst at ", worst_tensor, ' ',
                     worst_index, ": analytic ", worst_analytic, ", numeric ", worst_numeric, ", error ",
                     worst_error, " of the tolerance");
}

GradcheckResult gradcheck(const std::function<Tensor(const std::vector<Tensor>&)>& function,
                          const std::vector<Tensor>& inputs, const GradcheckOptions& options) {
  std::vector<std::pair<std::string, Tensor>> checked;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].defined() && inputs[i].requires_grad()) {
      checked.emplace_back(concat_text("input ", i), inputs[i]);
    }
  }
  for (const auto& [name, parameter] : options.parameters) {
    if (parameter.requires_grad()) {
      checked.emplace_back(name, parameter);
    }
  }
  require(!checked.empty(),
          "gradcheck: no input or parameter requires a gradient; call requires_grad_() on one");
  Index elements = 0;
  for (auto& [name, tensor] : checked) {
    elements += tensor.numel();
    require(tensor.dtype() == float64, "gradcheck: ", name, " is ", tensor.describe(),
            "; finite differences need float64, convert it with to(float64)");
    tensor.zero_grad();
  }
  require(elements > 0,
          "gradcheck: what requires a gradient has no elements to check; give it a larger shape");

  const Tensor y = function(inputs);
  require(y.requires_grad(),
          "gradcheck: the function's result does not depend on anything that requires a gradient");
  Generator rng(options.seed);
  const Tensor upstream = Tensor::randn(y.shape(), rng, float64);
  y.backward(upstream);

  GradcheckResult result;
  result.worst_error = -1;
  const NoGradGuard no_grad;
  for (auto& [name, tensor] : checked) {
    const std::vector<double> analytic =
        tensor.grad().defined() ? tensor.grad().to_vector() : std::vector<double>(tensor.numel(), 0.0);
    double scale = 1;
    for (double value : analytic) {
      scale = std::max(scale, std::isfinite(value) ? std::abs(value) : 0);
    }
    for (Index i : elements_to_check(tensor.numel(), options)) {
      const double x = tensor.data<double>()[i];
      const double h = options.step * std::max(1.0, std::abs(x));
      const auto value_at = [&, &tensor = tensor](double moved) {
        tensor.mutable_data<double>("gradcheck")[i] = moved;
        return weighted_sum(upstream, function(inputs));
      };
      const double above = value_at(x + h);
      const double below = value_at(x - h);
      tensor.mutable_data<double>("gradcheck")[i] = x;
      const double numeric = (above - below) / ((x + h) - (x - h));
      double error =
          std::abs(analytic[i] - numeric) / (options.atol * scale + options.rtol * std::abs(numeric));
      if (std::isnan(error)) {
        error = INFINITY;
      }
      ++result.checked;
      if (error > result.worst_error) {
        result.worst_error = error;
        result.worst_tensor = name;
        result.worst_index = index_text(tensor.shape(), i);
        result.worst_analytic = analytic[i];
        result.worst_numeric = numeric;
      }
    }
  }
  result.ok = result.worst_error <= 1;
  return result;
}

}  // namespace gesso
