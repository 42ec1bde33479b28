#include "gesso/training/optim/clip.h"

#include <cmath>

#include "gesso/autograd/graph.h"
#include "gesso/core/kernels/elementwise.h"

namespace gesso {
namespace {

// sum x^2, in lanes that the compiler keeps in one vector register.
template <class T>
GESSO_SIMD double sum_of_squares(const T* x, Index n) {
  constexpr Index lanes = 16;
  double sums[lanes] = {};
  Index i = 0;
  for (; i + lanes <= n; i += lanes) {
    for (Index k = 0; k < lanes; ++k) {
      const double v = x[i + k];
      sums[k] += v * v;
    }
  }
  for (Index k = 0; i < n; ++i, ++k) {
    const double v = x[i];
    sums[k] += v * v;
  }
  double total = 0;
  for (double sum : sums) {
    total += sum;
  }
  return total;
}

}  // namespace

double grad_norm(const std::vector<Tensor>& parameters) {
  double total = 0;
  for (const Tensor& parameter : parameters) {
    if (const Tensor gradient = parameter.grad(); gradient.defined()) {
      total += with_dtype(gradient.dtype(), [&]<class T>() {
        const T* values = gradient.data<T>();
        return parallel_sum<double>(gradient.numel(), kElementwiseBlock, [&](Index begin, Index end) {
          return sum_of_squares(values + begin, end - begin);
        });
      });
    }
  }
  return std::sqrt(total);
}

double clip_grad_norm(const std::vector<Tensor>& parameters, double max_norm) {
  require(max_norm >= 0, "clip_grad_norm: max_norm is ", max_norm, "; it must not be negative");
  const double norm = grad_norm(parameters);
  const double factor = max_norm / (norm + 1e-6);
  if (factor >= 1) {
    return norm;
  }
  const NoGradGuard no_grad;
  for (Tensor parameter : parameters) {
    Tensor gradient = parameter.grad();
    if (!gradient.defined()) {
      continue;
    }
    // set_grad() may have given two parameters one gradient; it is then copied, or it would be scaled twice.
    parameter.zero_grad();
    if (!gradient.owned_alone()) {
      gradient = gradient.clone();
    }
    parameter.set_grad(gradient.mul_(factor));
  }
  return norm;
}

}  // namespace gesso
