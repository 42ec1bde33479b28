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

Tensor pow(const Tensor& x, double exponent) {
  Tensor y = map(x, "pow", [=](auto v) { return std::pow(v, static_cast<decltype(v)>(exponent)); });
  return record("pow", y, {x}, [x = save(x), exponent](const Tensor& dy, Gradients& d) {
    d(0, [&] {
      return zip_elements(dy, x(), [=](auto g, auto v) {
        using T = decltype(v);
        return exponent == 0 ? T{0}
                             : g * static_cast<T>(exponent) * std::pow(v, static_cast<T>(exponent - 1));
      });
    });
  });
}

Tensor pow(const Tensor& base, const Tensor& exponent) {
  Tensor y = broadcast_map(base, exponent, "pow", [](auto b, auto e) { return std::pow(b, e); });
  return record("pow", y, {base, exponent},
                [b = save(base), e = save(exponent)](const Tensor& dy, Gradients& d) {
                  d(0, [&] {  // e b^(e - 1)
                    const Tensor slope = broadcast_map(b(), e(), "pow", [](auto u, auto v) {
                      return v == 0 ? decltype(v){0} : v * std::pow(u, v - 1);
                    });
                    return sum_to(mul(dy, slope), b.shape());
                  });
                  d(1, [&] {  // b^e log(b)
                    const Tensor slope = broadcast_map(b(), e(), "pow", [](auto u, auto v) {
                      return u == 0 && v >= 0 ? decltype(v){0} : std::pow(u, v) * std::log(u);
                    });
                    return sum_to(mul(dy, slope), e.shape());
                  });
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

Tensor silu(const Tensor& x) {
  Tensor y = map(x, "silu", [](auto v) { return v / (1 + std::exp(-v)); });
  return record("silu", y, {x}, [x = save(x)](const Tensor& dy, Gradients& d) {
    d(0, [&] {  // s + x s (1 - s) with s = sigmoid(x)
      return zip_elements(dy, x(), [](auto g, auto v) {
        const auto s = 1 / (1 + std::exp(-v));
        return g * s * (1 + v * (1 - s));
      });
    });
  });
}

namespace {

constexpr double kRootOfTwoOverPi = 0.79788456080286535588, kCube = 0.044715;

// Phi(x) and phi(x), the normal distribution and its density.
template <class T>
T normal(T x) {
  return (1 + std::erf(x * static_cast<T>(0.70710678118654752440))) / 2;
}
template <class T>
T normal_density(T x) {
  return std::exp(-x * x / 2) * static_cast<T>(0.39894228040143267794);
}
// The tanh in the approximation of Phi.
template <class T>
T gelu_tanh(T x) {
  return std::tanh(static_cast<T>(kRootOfTwoOverPi) * (x + static_cast<T>(kCube) * x * x * x));
}

}  // namespace

Tensor gelu(const Tensor& x, GeluApproximation approximation) {
  const bool exact = approximation == GeluApproximation::none;
  Tensor y = exact ? map(x, "gelu", [](auto v) { return v * normal(v); })
                   : map(x, "gelu", [](auto v) { return v * (1 + gelu_tanh(v)) / 2; });
  return record("gelu", y, {x}, [x = save(x), exact](const Tensor& dy, Gradients& d) {
    d(0, [&] {
      if (exact) {  // Phi + x phi
        return zip_elements(dy, x(), [](auto g, auto v) { return g * (normal(v) + v * normal_density(v)); });
      }
      return zip_elements(dy, x(), [](auto g, auto v) {  // with t = tanh(u): (1 + t) / 2 + x (1 - t^2) u' / 2
        using T = decltype(v);
        const T t = gelu_tanh(v),
                slope = static_cast<T>(kRootOfTwoOverPi) * (1 + static_cast<T>(3 * kCube) * v * v);
        return g * (1 + t + v * (1 - t * t) * slope) / 2;
      });
    });
  });
}

Tensor prelu(const Tensor& x, const Tensor& weight) {
  require_defined(x, "prelu", "x");
  require_defined(weight, "prelu", "weight");
  const Index channels = x.rank() >= 2 ? x.size(1) : 1;
  require(weight.rank() == 1 && (weight.numel() == 1 || weight.numel() == channels),
          "prelu: weight has shape ", weight.shape(), " and x ", x.shape(), "; weight must be (1) or (",
          channels, "), one for each channel");
  // The weight as it broadcasts over x: (C, 1, 1) for (N, C, H, W).
  std::vector<Index> sizes(static_cast<std::size_t>(weight.numel() == 1 ? 1 : x.rank() - 1), 1);
  sizes.front() = weight.numel();
  const Tensor w = weight.detach().alias(Shape(sizes));
  Tensor y = broadcast_map(x, w, "prelu", [](auto v, auto slope) { return v > 0 ? v : slope * v; });
  // A scalar x becomes (1) when it meets the weight.
  return record("prelu", y.alias(x.shape()), {x, weight},
                [x = save(x), w = save(w), from = weight.shape()](const Tensor& dy, Gradients& d) {
                  d(0, [&] {
                    const Tensor slope = broadcast_map(
                        x(), w(), "prelu", [](auto v, auto s) { return v > 0 ? decltype(v){1} : s; });
                    return mul(dy, slope.alias(dy.shape()));
                  });
                  d(1, [&] {
                    const Tensor each =
                        zip_elements(dy, x(), [](auto g, auto v) { return v > 0 ? decltype(v){0} : g * v; });
                    return sum_to(each.rank() == 0 ? each.alias({1}) : each, w.shape()).alias(from);
                  });
                });
}

// ---- members of Tensor

Tensor Tensor::abs() const { return gesso::abs(*this); }
Tensor Tensor::square() const { return gesso::square(*this); }
Tensor Tensor::sqrt() const { return gesso::sqrt(*this); }
Tensor Tensor::exp() const { return gesso::exp(*this); }
Tensor Tensor::log() const { return gesso::log(*this); }

}  // namespace gesso
