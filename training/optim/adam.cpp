#include "gesso/training/optim/adam.h"

#include <cmath>

#include "gesso/core/simd/clones.h"
#include "gesso/training/optim/subnormals.h"

namespace gesso {
namespace {

// The factors of one step, in the parameter's dtype.
template <class T>
struct Factors {
  T shrink;        // of p before the step: 1, or 1 - lr weight_decay when decoupled
  T weight_decay;  // of p in the gradient
  T beta1, one_minus_beta1;
  T beta2, one_minus_beta2;
  T step_size;        // lr / (1 - beta1^t)
  T root_correction;  // 1 / sqrt(1 - beta2^t)
  T eps;
};

template <bool look, class T>
GESSO_SIMD void adam_step(T* p, T* m, T* v, const T* gradient, Index n, Factors<T> f) {
  for (Index i = 0; i < n; ++i) {
    const T before = f.shrink * p[i];
    const T g = gradient[i] + f.weight_decay * before;
    m[i] = without_subnormals<look>(f.beta1 * m[i] + f.one_minus_beta1 * g);
    v[i] = without_subnormals<look>(f.beta2 * v[i] + f.one_minus_beta2 * g * g);
    p[i] = before - f.step_size * (m[i] / (std::sqrt(v[i]) * f.root_correction + f.eps));
  }
}

}  // namespace

Adam::Adam(const char* name, const std::vector<ParameterGroup<AdamOptions>>& groups, bool decoupled)
    : Optimizer(name, parameters_of(groups), rates_of(groups), {"exp_avg", "exp_avg_sq"}),
      options_(options_of(groups)),
      decoupled_(decoupled) {
  for (const AdamOptions& options : options_) {
    require(options.beta1 >= 0 && options.beta1 < 1 && options.beta2 >= 0 && options.beta2 < 1, name_,
            ": beta1 ", options.beta1, " and beta2 ", options.beta2, " must be at least 0 and below 1");
    require_not_negative("eps", options.eps);
    require_not_negative("weight_decay", options.weight_decay);
  }
}

namespace {

std::vector<ParameterGroup<AdamOptions>> as_adam(const std::vector<ParameterGroup<AdamWOptions>>& groups) {
  std::vector<ParameterGroup<AdamOptions>> result;
  for (const auto& [parameters, o] : groups) {
    result.push_back(
        {parameters,
         {.lr = o.lr, .beta1 = o.beta1, .beta2 = o.beta2, .eps = o.eps, .weight_decay = o.weight_decay}});
  }
  return result;
}

}  // namespace

AdamW::AdamW(const std::vector<ParameterGroup<AdamWOptions>>& groups)
    : Adam("AdamW", as_adam(groups), true) {}

void Adam::update(std::size_t i, Index begin, Index end) {
  Tensor p = parameters()[i];
  const Tensor g = p.grad();
  const AdamOptions& options = options_[i];
  const double t = static_cast<double>(steps(i)), rate = lr(i), decay = options.weight_decay;
  with_dtype(p.dtype(), [&]<class T>() {
    const Factors<T> factors = {
        .shrink = static_cast<T>(decoupled_ ? 1 - rate * decay : 1),
        .weight_decay = static_cast<T>(decoupled_ ? 0 : decay),
        .beta1 = static_cast<T>(options.beta1),
        .one_minus_beta1 = static_cast<T>(1 - options.beta1),
        .beta2 = static_cast<T>(options.beta2),
        .one_minus_beta2 = static_cast<T>(1 - options.beta2),
        .step_size = static_cast<T>(rate / (1 - std::pow(options.beta1, t))),
        .root_correction = static_cast<T>(1 / std::sqrt(1 - std::pow(options.beta2, t))),
        .eps = static_cast<T>(options.eps),
    };
    const auto step = steps(i) % kSubnormalsEvery == 0 ? &adam_step<true, T> : &adam_step<false, T>;
    step(p.mutable_data<T>(name_) + begin, average(0, i).mutable_data<T>() + begin,
         average(1, i).mutable_data<T>() + begin, g.data<T>() + begin, end - begin, factors);
  });
}

}  // namespace gesso
