// 10  Find the planted error
//
// A whole backward of layer norm over one S, where every element has a gamma of its own. It looks right, it
// even passes a check in which all gammas are equal, as they are in a network that has not begun to learn.
// One thing in it is wrong. Errors like this one are planted into gesso itself to prove its tests:
// tests/mutants/mutants.txt.
//
//     examples/lab/exercises/check 10
//     examples/lab/exercises/check --hint 10
#include "exercise.h"

// YOUR CODE is the correction: one error, which a few lines share.
Numbers layer_norm_backward(const Numbers& x, const Numbers& gamma, const Numbers& dy, double eps) {
  const int m = x.size();
  const double mu = mean(x);
  double v = 0;
  for (int i = 0; i < m; ++i) {
    v += (x[i] - mu) * (x[i] - mu) / m;
  }
  const double r = 1 / std::sqrt(v + eps);

  Numbers xhat(m);
  double sum_dy = 0, sum_dy_xhat = 0;
  for (int i = 0; i < m; ++i) {
    xhat[i] = (x[i] - mu) * r;
    sum_dy += dy[i];
    sum_dy_xhat += dy[i] * xhat[i];
  }

  Numbers dx(m);
  for (int i = 0; i < m; ++i) {
    dx[i] = r * gamma[i] * (dy[i] - sum_dy / m - xhat[i] * sum_dy_xhat / m);
  }
  return dx;
}
