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
template <class T>
GESSO_SIMD void momentum_step(T* p, T* b, const T* gradient, Index n, T lr, T weight_decay, T keep, T take,
                              T momentum, bool nesterov) {
  for (Index i = 0; i < n; ++i) {
    const T g = gradient[i] + weight_decay * p[i];
    b[i] = without_subnormals(keep * b[i] + take * g);
    p[i] -= lr * (nesterov ? g + momentum * b[i] : b[i]);
  }
}

}  // namespace

SGD::SGD(std::vector<Tensor> parameters, const SGDOptions& options)
    : Optimizer(
          "SGD", std::move(parameters), options.lr,
          options.momentum != 0 ? std::vector<std::string>{"momentum_buffer"} : std::vector<std::string>{}),
      options_(options) {
  require_not_negative("momentum", options.momentum);
  require_not_negative("weight_decay", options.weight_decay);
  require(std::isfinite(options.dampening), "SGD: dampening is ", options.dampening, "; it must be finite");
  require(!options.nesterov || (options.momentum > 0 && options.dampening == 0),
          "SGD: nesterov needs momentum above 0 and dampening 0, but they are ", options.momentum, " and ",
          options.dampening);
}

void SGD::update(std::size_t i, Index begin, Index end) {
  Tensor p = parameters()[i];
  const Tensor g = p.grad();
  with_dtype(p.dtype(), [&]<class T>() {
    T* values = p.mutable_data<T>("SGD::step") + begin;
    const T* gradient = g.data<T>() + begin;
    const T rate = static_cast<T>(lr()), decay = static_cast<T>(options_.weight_decay);
    if (options_.momentum == 0) {
      plain_step(values, gradient, end - begin, rate, decay);
      return;
    }
    const bool first = steps(i) == 1;
    momentum_step(values, average(0, i).mutable_data<T>() + begin, gradient, end - begin, rate, decay,
                  static_cast<T>(first ? 0 : options_.momentum),
                  static_cast<T>(first ? 1 : 1 - options_.dampening), static_cast<T>(options_.momentum),
                  options_.nesterov);
  });
}

}  // namespace gesso
