// The transforms of Winograd's convolutions F(4x4, 3x3) and F(3x3, 4x4): Lavin and Gray, "Fast Algorithms for
// Convolutional Neural Networks", 2015, arXiv 1509.09308.
//
// In one dimension, four results y of a kernel g of three taps read six numbers d:
//
//     y[i] = g[0] d[i] + g[1] d[i + 1] + g[2] d[i + 2]           i = 0 ... 3
//
// That is the transpose of a product of polynomials. A product of degree 5 is known from its values at six
// points; so six products of transformed numbers are enough instead of twelve:
//
//     y = A^T ((G g) * (B^T d))                                   * number by number
//
// With points p[0] ... p[4] and infinity, N[i] = the product of p[i] - p[k] over k != i:
//
//     row i of G       is  (1, p[i], p[i]^2) / N[i]                              and (0, 0, 1) for infinity
//     column i of A^T  is  (1, p[i], p[i]^2, p[i]^3)                             and (0, 0, 0, 1)
//     row i of B^T     is  the coefficients of the product of x - p[k], k != i   and that over all k < 5
//
// The points here are 0, a, -a, b, -b with a = sqrt(1/2) and b = sqrt(2), so that a^2 b^2 = 1 and
// a^2 + b^2 = 5/2. They lose fewer digits than the usual 0, +-1, +-2 (the largest error falls from about 1e-5
// of the largest result to 3e-6) and cost the same:
//
//           1    0  -5/2   0    1   0                  1   0   0
//           0  -2a   -2    a    1   0                -2/3  (1, a, 1/2)
//     B^T = 0   2a   -2   -a    1   0          G  =  -2/3  (1, -a, 1/2)
//           0 -b/2 -1/2    b    1   0                 1/6  (1, b, 2)
//           0  b/2 -1/2   -b    1   0                 1/6  (1, -b, 2)
//           0    1    0 -5/2    0   1                  0   0   1
//
//           1   1   1   1   1   0
//     A^T = 0   a  -a   b  -b   0
//           0  1/2 1/2  2   2   0
//           0 a/2 -a/2 2b -2b   1
//
// In two dimensions each transform is applied to columns, then to rows: 36 products, where the formula takes
// 9 for each of the 4 x 4 results, 144. The gradient to the weight is a convolution whose kernel is a 4 x 4
// tile of dy and whose result has 3 x 3 numbers, F(3x3, 4x4): the same points and B, G with a fourth column
// p^3 / N, and A without its last but one column (the power p^3).
#pragma once

#include "gesso/core/simd/vector.h"

namespace gesso::winograd {

inline constexpr float kA = 0.70710678118654752f, kB = 1.4142135623730950f;

/// B^T d, for six numbers or vectors of a tile of the input.
struct InputTransform {
  static constexpr int in = 6, out = 6;

  template <class V>
  static GESSO_INLINE void apply(const V (&d)[in], V (&t)[out]) {
    t[0] = (d[0] + d[4]) - 2.5f * d[2];
    const V even_a = d[4] - 2.0f * d[2], odd_a = d[3] - 2.0f * d[1];
    t[1] = even_a + kA * odd_a;
    t[2] = even_a - kA * odd_a;
    const V even_b = d[4] - 0.5f * d[2], odd_b = d[3] - 0.5f * d[1];
    t[3] = even_b + kB * odd_b;
    t[4] = even_b - kB * odd_b;
    t[5] = (d[1] + d[5]) - 2.5f * d[3];
  }
};

/// G g, for the three taps of a kernel.
struct KernelTransform {
  static constexpr int in = 3, out = 6;

  template <class V>
  static GESSO_INLINE void apply(const V (&g)[in], V (&t)[out]) {
    constexpr float na = -2.0f / 3, nb = 1.0f / 6;
    t[0] = g[0];
    const V even_a = na * g[0] + (na / 2) * g[2], even_b = nb * g[0] + (nb * 2) * g[2];
    t[1] = even_a + (na * kA) * g[1];
    t[2] = even_a - (na * kA) * g[1];
    t[3] = even_b + (nb * kB) * g[1];
    t[4] = even_b - (nb * kB) * g[1];
    t[5] = g[2];
  }
};

/// A^T m, which gives the four results.
struct ResultTransform {
  static constexpr int in = 6, out = 4;

  template <class V>
  static GESSO_INLINE void apply(const V (&m)[in], V (&y)[out]) {
    const V even_a = m[1] + m[2], odd_a = m[1] - m[2];
    const V even_b = m[3] + m[4], odd_b = m[3] - m[4];
    y[0] = (m[0] + even_a) + even_b;
    y[1] = kA * odd_a + kB * odd_b;
    y[2] = 0.5f * even_a + 2.0f * even_b;
    y[3] = (m[5] + (kA / 2) * odd_a) + (kB * 2) * odd_b;
  }
};

/// G g of F(3, 4), for four numbers of dy.
struct GradientTransform {
  static constexpr int in = 4, out = 6;

  template <class V>
  static GESSO_INLINE void apply(const V (&g)[in], V (&t)[out]) {
    constexpr float na = -2.0f / 3, nb = 1.0f / 6;
    t[0] = g[0];
    const V even_a = na * g[0] + (na / 2) * g[2], odd_a = (na * kA) * g[1] + (na * kA / 2) * g[3];
    const V even_b = nb * g[0] + (nb * 2) * g[2], odd_b = (nb * kB) * g[1] + (nb * kB * 2) * g[3];
    t[1] = even_a + odd_a;
    t[2] = even_a - odd_a;
    t[3] = even_b + odd_b;
    t[4] = even_b - odd_b;
    t[5] = g[3];
  }
};

/// A^T m of F(3, 4), which gives the gradient to the three taps.
struct TapTransform {
  static constexpr int in = 6, out = 3;

  template <class V>
  static GESSO_INLINE void apply(const V (&m)[in], V (&y)[out]) {
    const V even_a = m[1] + m[2], even_b = m[3] + m[4];
    y[0] = (m[0] + even_a) + even_b;
    y[1] = kA * (m[1] - m[2]) + kB * (m[3] - m[4]);
    y[2] = (m[5] + 0.5f * even_a) + 2.0f * even_b;
  }
};

/// result = T tile T^T for a transform T.
template <class Transform, class V>
GESSO_INLINE void transform_both(const V (&tile)[Transform::in][Transform::in],
                                 V (&result)[Transform::out][Transform::out]) {
  V half[Transform::in][Transform::out];  // half[j][i] = (T tile)[i][j]
#pragma GCC unroll 6
  for (int j = 0; j < Transform::in; ++j) {
    V column[Transform::in];
#pragma GCC unroll 6
    for (int i = 0; i < Transform::in; ++i) column[i] = tile[i][j];
    Transform::apply(column, half[j]);
  }
#pragma GCC unroll 6
  for (int i = 0; i < Transform::out; ++i) {
    V row[Transform::in];
#pragma GCC unroll 6
    for (int j = 0; j < Transform::in; ++j) row[j] = half[j][i];
    Transform::apply(row, result[i]);
  }
}

}  // namespace gesso::winograd
