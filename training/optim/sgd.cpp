#include "gesso/training/optim/sgd.h"

#include <cmath>

#include "gesso/core/simd/clones.h"
#include "gesso/training/optim/subnormals.h"

namespace gesso {
namespace {

template <class T>
GESSO_SIMD void plain_step(T* p, const T* gradient, Index n, T lr, T weight_decay) {
  for (Index i = 0; i < n; ++i) {
    const T g = gradient[i] + weight_decay * p[i];
    p[i] -= lr * g;
  }
}

// b = keep b + take g
template <bool look, class T>
GESSO_SIMD void momentum_step(T* p, T* b, const T* gradient, Index n, T lr, T weight_decay, T keep, T take,
                              T momentum, bool nesterov) {
  for (Index i = 0; i < n; ++i) {
    const T g = gradient[i] + weight_decay * p[i];
    b[i] = without_subnormals<look>(keep * b[i] + take * g);
    p[i] -= lr * (nesterov ? g + momentum * b[i] : b[i]);
  }
}

}  // namespace

namespace {

// Running sums are kept for all parameters if any group wants them.
std::vector<std::string> sums_of(const std::vector<ParameterGroup<SGDOptions>>& groups) {
  for (const auto& group : groups) {
    if (group.options.momentum != 0) {
      return {"momentum_buffer"};
    }
  }
  return {};
}

}  // namespace

SGD::SGD(const std::vector<ParameterGroup<SGDOptions>>& groups)
    : Optimizer("SGD", parameters_of(groups), rates_of(groups), sums_of(groups)),
      options_(options_of(groups)) {
  for (const SGDOptions& options : options_) {
    require_not_negative("momentum", options.momentum);
    require_not_negative("weight_decay", options.weight_decay);
    require(std::isfinite(options.dampening), "SGD: dampening is ", options.dampening, "; it must be finite");
    require(!options.nesterov || (options.momentum > 0 && options.dampening == 0),
            "SGD: nesterov needs momentum above 0 and dampening 0, but they are ", options.momentum, " and ",
            options.dampening);
  }
}

void SGD::update(std::size_t i, Index begin, Index end) {
  Tensor p = parameters()[i];
  const Tensor g = p.grad();
  const SGDOptions& options = options_[i];
  with_dtype(p.dtype(), [&]<class T>() {
    T* values = p.mutable_data<T>("SGD::step") + begin;
    const T* gradient = g.data<T>() + begin;
    const T rate = static_cast<T>(lr(i)), decay = static_cast<T>(options.weight_decay);
    if (options.momentum == 0) {
      plain_step(values, gradient, end - begin, rate, decay);
      return;
    }
    const bool first = steps(i) == 1;
    const auto step = steps(i) % kSubnormalsEvery == 0 ? &momentum_step<true, T> : &momentum_step<false, T>;
    step(values, average(0, i).mutable_data<T>() + begin, gradient, end - begin, rate, decay,
         static_cast<T>(first ? 0 : options.momentum), static_cast<T>(first ? 1 : 1 - options.dampening),
         static_cast<T>(options.momentum), options.nesterov);
  });
}

}  // namespace gesso
