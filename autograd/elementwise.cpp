#include "gesso/autograd/elementwise.h"

#include <cmath>

#include "gesso/autograd/node.h"
#include "gesso/core/kernels/broadcast.h"
#include "gesso/core/kernels/elementwise.h"

namespace gesso {
namespace {

// A fresh tensor of f(x), without a place in the graph.
template <class F>
Tensor map(const Tensor& x, const char* operation, F f) {
  require_defined(x, operation, "its argument");
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  with_dtype(x.dtype(), [&]<class T>() { map_elements(x.data<T>(), y.mutable_data<T>(), x.numel(), f); });
  return y;
}

// A fresh tensor of f(a, b) for equal shapes: what most derivatives are.
template <class F>
Tensor zip(const Tensor& a, const Tensor& b, F f) {
  Tensor y = Tensor::empty(a.shape(), a.dtype());
  with_dtype(a.dtype(),
             [&]<class T>() { zip_elements(a.data<T>(), b.data<T>(), y.mutable_data<T>(), a.numel(), f); });
  return y;
}

}  // namespace

// ---- arithmetic

Tensor add(const Tensor& a, const Tensor& b) {
  Tensor y = broadcast_map(a, b, "add", [](auto u, auto v) { return u + v; });
  return record("add", y, {a, b}, [a_shape = a.shape(), b_shape = b.shape()](const Tensor& dy, Gradients& d) {
    d(0, [&] { return sum_to(dy, a_shape); });
    d(1, [&] { return sum_to(dy, b_shape); });
  });
}

Tensor sub(const Tensor& a, const Tensor& b) {
  Tensor y = broadcast_map(a, b, "sub", [](auto u, auto v) { return u - v; });
  return record("sub", y, {a, b}, [a_shape = a.shape(), b_shape = b.shape()](const Tensor& dy, Gradients& d) {
    d(0, [&] { return sum_to(dy, a_shape); });
    d(1, [&] { return neg(sum_to(dy, b_shape)); });
  });
}

Tensor mul(const Tensor& a, const Tensor& b) {
  Tensor y = broadcast_map(a, b, "mul", [](auto u, auto v) { return u * v; });
  return record("mul", y, {a, b},
                [a = save(a, needs_grad(b)), b = save(b, needs_grad(a))](const Tensor& dy, Gradients& d) {
                  d(0, [&] { return sum_to(mul(dy, b()), a.shape()); });
                  d(1, [&] { return sum_to(mul(dy, a()), b.shape()); });
                });
}

Tensor div(const Tensor& a, const Tensor& b) {
  Tensor y = broadcast_map(a, b, "div", [](auto u, auto v) { return u / v; });
  return record(
      "div", y, {a, b},
      [a_shape = a.shape(), b = save(b), y = save(y, needs_grad(b))](const Tensor& dy, Gradients& d) {
        d(0, [&] { return sum_to(div(dy, b()), a_shape); });
        d(1, [&] { return sum_to(neg(div(mul(dy, y()), b())), b.shape()); });  // d(a/b)/db = -(a/b)/b
      });
}

Tensor affine(const Tensor& x, double factor, double shift) {
  Tensor y = map(x, "affine", [=](auto v) {
    return static_cast<decltype(v)>(factor) * v + static_cast<decltype(v)>(shift);
  });
  return record("affine", y, {x}, [factor](const Tensor& dy, Gradients& d) {
    d(0, [&] { return factor == 1 ? dy : affine(dy, factor, 0); });
  });
}

Tensor neg(const Tensor& x) {
  Tensor y = map(x, "neg", [](auto v) { return -v; });
  return record("neg", y, {x}, [](const Tensor& dy, Gradients& d) { d(0, [&] { return neg(dy); }); });
}

// ---- powers and logarithms

Tensor square(const Tensor& x) {
  Tensor y = map(x, "square", [](auto v) { return v * v; });
  return record("square", y, {x}, [x = save(x)](const Tensor& dy, Gradients& d) {
    d(0, [&] { return zip(dy, x(), [](auto g, auto v) { return 2 * v * g; }); });
  });
}

Tensor sqrt(const Tensor& x) {
  Tensor y = map(x, "sqrt", [](auto v) { return std::sqrt(v); });
  return record("sqrt", y, {x}, [y = save(y)](const Tensor& dy, Gradients& d) {
    d(0, [&] { return zip(dy, y(), [](auto g, auto v) { return g / (2 * v); }); });
  });
}

Tensor exp(const Tensor& x) {
  Tensor y = map(x, "exp", [](auto v) { return std::exp(v); });
  return record("exp", y, {x},
                [y = save(y)](const Tensor& dy, Gradients& d) { d(0, [&] { return mul(dy, y()); }); });
}

Tensor log(const Tensor& x) {
  Tensor y = map(x, "log", [](auto v) { return std::log(v); });
  return record("log", y, {x},
                [x = save(x)](const Tensor& dy, Gradients& d) { d(0, [&] { return div(dy, x()); }); });
}

// ---- pieces of lines

Tensor abs(const Tensor& x) {
  Tensor y = map(x, "abs", [](auto v) { return std::abs(v); });
  return record("abs", y, {x}, [x = save(x)](const Tensor& dy, Gradients& d) {
    d(0, [&] { return zip(dy, x(), [](auto g, auto v) { return v > 0 ? g : v < 0 ? -g : 0 * g; }); });
  });
}

Tensor clamp(const Tensor& x, double low, double high) {
  require(low <= high, "clamp: low ", low, " is above high ", high);
  // Written so that NaN stays NaN.
  Tensor y = map(x, "clamp", [=](auto v) {
    using T = decltype(v);
    return v < static_cast<T>(low)    ? static_cast<T>(low)
           : v > static_cast<T>(high) ? static_cast<T>(high)
                                      : v;
  });
  return record("clamp", y, {x}, [x = save(x), low, high](const Tensor& dy, Gradients& d) {
    d(0, [&] {
      return zip(dy, x(), [=](auto g, auto v) {
        using T = decltype(v);
        return v < static_cast<T>(low) || v > static_cast<T>(high) ? T{0} : g;
      });
    });
  });
}

// relu keeps its result, not its input: whoever comes next usually keeps that too, and both then share it.
Tensor relu(const Tensor& x) {
  Tensor y = map(x, "relu", [](auto v) { return v < 0 ? decltype(v){0} : v; });
  return record("relu", y, {x}, [y = save(y)](const Tensor& dy, Gradients& d) {
    d(0, [&] { return zip(dy, y(), [](auto g, auto v) { return v > 0 ? g : decltype(g){0}; }); });
  });
}

Tensor leaky_relu(const Tensor& x, double slope) {
  Tensor y = map(x, "leaky_relu", [=](auto v) { return v > 0 ? v : static_cast<decltype(v)>(slope) * v; });
  return record("leaky_relu", y, {x}, [x = save(x), slope](const Tensor& dy, Gradients& d) {
    d(0, [&] {
      return zip(dy, x(), [=](auto g, auto v) { return v > 0 ? g : static_cast<decltype(v)>(slope) * g; });
    });
  });
}

// ---- squashing functions

Tensor sigmoid(const Tensor& x) {
  Tensor y = map(x, "sigmoid", [](auto v) { return 1 / (1 + std::exp(-v)); });
  return record("sigmoid", y, {x}, [y = save(y)](const Tensor& dy, Gradients& d) {
    d(0, [&] { return zip(dy, y(), [](auto g, auto v) { return g * v * (1 - v); }); });
  });
}

Tensor tanh(const Tensor& x) {
  Tensor y = map(x, "tanh", [](auto v) { return std::tanh(v); });
  return record("tanh", y, {x}, [y = save(y)](const Tensor& dy, Gradients& d) {
    d(0, [&] { return zip(dy, y(), [](auto g, auto v) { return g * (1 - v * v); }); });
  });
}

Tensor softplus(const Tensor& x) {
  // log(1 + e^v) = max(v, 0) + log(1 + e^-|v|), where nothing overflows
  Tensor y = map(x, "softplus",
                 [](auto v) { return (v > 0 ? v : decltype(v){0}) + std::log1p(std::exp(-std::abs(v))); });
  return record("softplus", y, {x}, [x = save(x)](const Tensor& dy, Gradients& d) {
    d(0, [&] { return zip(dy, x(), [](auto g, auto v) { return g / (1 + std::exp(-v)); }); });
  });
}

}  // namespace gesso
