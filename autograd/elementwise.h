// Operations on each element by itself, and arithmetic with broadcasting. All are recorded for backward.
// Arguments of one operation have one dtype; shapes broadcast by NumPy's rules; both are checked
// (ArgumentError).
#pragma once

#include "gesso/core/tensor.h"

namespace gesso {

Tensor add(const Tensor& a, const Tensor& b);  ///< a + b
Tensor sub(const Tensor& a, const Tensor& b);  ///< a - b
Tensor mul(const Tensor& a, const Tensor& b);  ///< a * b
Tensor div(const Tensor& a, const Tensor& b);  ///< a / b
/// factor * x + shift
Tensor affine(const Tensor& x, double factor, double shift);

inline Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }
inline Tensor operator-(const Tensor& a, const Tensor& b) { return sub(a, b); }
inline Tensor operator*(const Tensor& a, const Tensor& b) { return mul(a, b); }
inline Tensor operator/(const Tensor& a, const Tensor& b) { return div(a, b); }
inline Tensor operator+(const Tensor& x, double c) { return affine(x, 1, c); }
inline Tensor operator+(double c, const Tensor& x) { return affine(x, 1, c); }
inline Tensor operator-(const Tensor& x, double c) { return affine(x, 1, -c); }
inline Tensor operator-(double c, const Tensor& x) { return affine(x, -1, c); }
inline Tensor operator*(const Tensor& x, double c) { return affine(x, c, 0); }
inline Tensor operator*(double c, const Tensor& x) { return affine(x, c, 0); }
inline Tensor operator/(const Tensor& x, double c) { return affine(x, 1 / c, 0); }
inline Tensor operator/(double c, const Tensor& x) { return div(Tensor::scalar(c, x.dtype()), x); }

/// x becomes x + y for every handle to it, as in PyTorch. Where neither side needs a gradient (or under a
/// NoGradGuard) its memory changes, and slices and reshapes of it with it. Otherwise the sum is recorded and
/// x takes the sum's memory and place in the graph; slices and reshapes made before keep the old numbers.
/// Throws ArgumentError when the result would not have x's shape, and for a leaf that requires a gradient
/// while recording is on: change that under a NoGradGuard. The same holds for the three that follow.
Tensor& operator+=(Tensor& x, const Tensor& y);
Tensor& operator-=(Tensor& x, const Tensor& y);
Tensor& operator*=(Tensor& x, const Tensor& y);
Tensor& operator/=(Tensor& x, const Tensor& y);
Tensor& operator+=(Tensor& x, double c);
Tensor& operator-=(Tensor& x, double c);
Tensor& operator*=(Tensor& x, double c);
Tensor& operator/=(Tensor& x, double c);

Tensor neg(const Tensor& x);  ///< -x
inline Tensor operator-(const Tensor& x) { return neg(x); }
Tensor square(const Tensor& x);  ///< x^2
Tensor sqrt(const Tensor& x);    ///< gradient infinite at 0
/// x^exponent; NaN for negative x unless the exponent is a whole number. The gradient is that of PyTorch: 0 for
/// exponent 0, infinite at 0 for one below 1.
Tensor pow(const Tensor& x, double exponent);
/// base^exponent, both broadcast; its gradients are PyTorch's: 0 for the base where the exponent is 0; for the exponent
/// base^exponent log(base), NaN for a negative base, and 0 where the base is 0 and the exponent not negative.
Tensor pow(const Tensor& base, const Tensor& exponent);
inline Tensor pow(double base, const Tensor& exponent) {
  return pow(Tensor::scalar(base, exponent.dtype()), exponent);
}
Tensor exp(const Tensor& x);
Tensor log(const Tensor& x);  ///< natural logarithm
Tensor abs(const Tensor& x);  ///< gradient 0 at 0
/// x limited to [low, high]; the gradient is 1 inside and on the limits, 0 outside and at NaN, which stays
/// NaN. Throws if low > high.
Tensor clamp(const Tensor& x, double low, double high);
Tensor relu(const Tensor& x);  ///< max(x, 0), NaN for NaN; gradient 0 at 0, 1 at NaN
Tensor leaky_relu(const Tensor& x,
                  double slope = 0.01);  ///< x > 0 ? x : slope x; gradient slope at 0 and NaN
Tensor sigmoid(const Tensor& x);         ///< 1 / (1 + exp(-x))
Tensor tanh(const Tensor& x);
Tensor softplus(const Tensor& x);  ///< log(1 + exp(x)), without overflow
Tensor silu(
    const Tensor& x);  ///< x sigmoid(x), also called swish (Ramachandran et al. 2017, arXiv 1710.05941)

enum class GeluApproximation { none, tanh };
/// x Phi(x), Phi being the normal distribution (Hendrycks and Gimpel 2016, arXiv 1606.08415), or its approximation
/// x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))).
Tensor gelu(const Tensor& x, GeluApproximation approximation = GeluApproximation::none);

/// x where it is positive, else weight times x (He et al. 2015, arXiv 1502.01852); weight (1), or (C) for the C
/// channels of x (N, C, ...). The gradient at 0 and NaN is that of weight x. Throws ArgumentError for another weight.
Tensor prelu(const Tensor& x, const Tensor& weight);

}  // namespace gesso
