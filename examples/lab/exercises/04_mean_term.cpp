// 04  The mean term
//
// A layer that only centres: r is a constant here, and the mean moves with x.
//
//     x̂_i = (x_i - mean(x)) r
//
// g_i is the gradient of x̂_i: how much the loss grows when it grows. What is the gradient of x_j? x_j
// reaches the loss directly, through x̂_j, and by way of the mean through every other number of S too. The
// first is the upstream term, which stands there; the second is missing. Work it out before you look: it is
// the second term of (13).
//
//     examples/lab/exercises/check 4
//     examples/lab/exercises/check --hint 4
#include "exercise.h"

Numbers gradient_of_centring(const Numbers& g, double r) {
  Numbers dx(g.size());
  for (int j = 0; j < g.size(); ++j) {
    dx[j] = r * g[j];  // YOUR CODE: and the mean term. mean(g) is there for you.
  }
  return dx;
}
