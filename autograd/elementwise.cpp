#include "gesso/autograd/elementwise.h"

#include <cmath>

#include "gesso/autograd/graph.h"
#include "gesso/core/kernels/broadcast.h"

namespace gesso {
namespace {

// map_elements(x, f) in the name of `operation`.
template <class F>
Tensor map(const Tensor& x, const char* operation, F f) {
  require_defined(x, operation, "its argument");
  return map_elements(x, f);
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

// ---- arithmetic in place

namespace {

// x becomes `result` for every handle to it.
Tensor& become(Tensor& x, const Tensor& result, const char* operation) {
  require(result.shape() == x.shape(), "x ", operation, " y: x has shape ", x.shape(), ", the result ",
          result.shape(), "; write x = ... for a tensor of another shape");
  if (!result.requires_grad()) {
    return x.copy_(result);
  }
  require(!x.requires_grad() || !x.is_leaf(), "x ", operation, " y: x, of shape ", x.shape(),
          ", is a leaf that requires a gradient; "
          "change it under a NoGradGuard, or write x = ... for a new tensor");
  x.set_node(nullptr);
  x.set_data(result);
  x.set_node(result.node());
  return x;
}

}  // namespace

Tensor& operator+=(Tensor& x, const Tensor& y) { return become(x, x + y, "+="); }
Tensor& operator-=(Tensor& x, const Tensor& y) { return become(x, x - y, "-="); }
Tensor& operator*=(Tensor& x, const Tensor& y) { return become(x, x * y, "*="); }
Tensor& operator/=(Tensor& x, const Tensor& y) { return become(x, x / y, "/="); }
Tensor& operator+=(Tensor& x, double c) { return become(x, x + c, "+="); }
Tensor& operator-=(Tensor& x, double c) { return become(x, x - c, "-="); }
Tensor& operator*=(Tensor& x, double c) { return become(x, x * c, "*="); }
Tensor& operator/=(Tensor& x, double c) { return become(x, x / c, "/="); }

// ---- powers and logarithms

Tensor square(const Tensor& x) {
  Tensor y = map(x, "square", [](auto v) { return v * v; });
  return record("square", y, {x}, [x = save(x)](const Tensor& dy, Gradients& d) {
    d(0, [&] { return zip_elements(dy, x(), [](auto g, auto v) { return 2 * v * g; }); });
  });
}

Tensor sqrt(const Tensor& x) {
  Tensor y = map(x, "sqrt", [](auto v) { return std::sqrt(v); });
  return record("sqrt", y, {x}, [y = save(y)](const Tensor& dy, Gradients& d) {
    d(0, [&] { return zip_elements(dy, y(), [](auto g, auto v) { return g / (2 * v); }); });
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
    d(0, [&] {
      return zip_elements(dy, x(), [](auto g, auto v) { return v > 0 ? g : v < 0 ? -g : 0 * g; });
    });
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
      return zip_elements(dy, x(), [=](auto g, auto v) {
        using T = decltype(v);
        return v >= static_cast<T>(low) && v <= static_cast<T>(high) ? g : T{0};
      });
    });
  });
}

// relu keeps its result, not its input: whoever comes next usually keeps that too, and both then share it.
Tensor relu(const Tensor& x) {
  Tensor y = map(x, "relu", [](auto v) { return v < 0 ? decltype(v){0} : v; });
  return record("relu", y, {x}, [y = save(y)](const Tensor& dy, Gradients& d) {
    d(0, [&] { return zip_elements(dy, y(), [](auto g, auto v) { return v <= 0 ? decltype(g){0} : g; }); });
  });
}

Tensor leaky_relu(const Tensor& x, double slope) {
  Tensor y = map(x, "leaky_relu", [=](auto v) { return v > 0 ? v : static_cast<decltype(v)>(slope) * v; });
  return record("leaky_relu", y, {x}, [x = save(x), slope](const Tensor& dy, Gradients& d) {
    d(0, [&] {
      return zip_elements(dy, x(),
                          [=](auto g, auto v) { return v > 0 ? g : static_cast<decltype(v)>(slope) * g; });
    });
  });
}

// ---- squashing functions

Tensor sigmoid(const Tensor& x) {
  Tensor y = map(x, "sigmoid", [](auto v) { return 1 / (1 + std::exp(-v)); });
  return record("sigmoid", y, {x}, [y = save(y)](const Tensor& dy, Gradients& d) {
    d(0, [&] { return zip_elements(dy, y(), [](auto g, auto v) { return g * v * (1 - v); }); });
  });
}

Tensor tanh(const Tensor& x) {
  Tensor y = map(x, "tanh", [](auto v) { return std::tanh(v); });
  return record("tanh", y, {x}, [y = save(y)](const Tensor& dy, Gradients& d) {
    d(0, [&] { return zip_elements(dy, y(), [](auto g, auto v) { return g * (1 - v * v); }); });
  });
}

Tensor softplus(const Tensor& x) {
  // log(1 + e^v) = max(v, 0) + log(1 + e^-|v|), where nothing overflows
  Tensor y = map(x, "softplus",
                 [](auto v) { return (v > 0 ? v : decltype(v){0}) + std::log1p(std::exp(-std::abs(v))); });
  return record("softplus", y, {x}, [x = save(x)](const Tensor& dy, Gradients& d) {
    d(0, [&] { return zip_elements(dy, x(), [](auto g, auto v) { return g / (1 + std::exp(-v)); }); });
  });
}

// ---- members of Tensor

Tensor Tensor::abs() const { return gesso::abs(*this); }
Tensor Tensor::square() const { return gesso::square(*this); }
Tensor Tensor::sqrt() const { return gesso::sqrt(*this); }
Tensor Tensor::exp() const { return gesso::exp(*this); }
Tensor Tensor::log() const { return gesso::log(*this); }

}  // namespace gesso
