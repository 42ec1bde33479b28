// Solution of 10. γ has to go into g = γ dy before the means are taken. Taken out of them, as here before, it
// is right only where all of S has the same γ. In gesso: tests/mutants/mutants.txt, "the means in dx of layer
// norm without gamma".
#include "exercise.h"

Numbers layer_norm_backward(const Numbers& x, const Numbers& gamma, const Numbers& dy, double eps) {
  const int m = x.size();
  const double mu = mean(x);
  double v = 0;
  for (int i = 0; i < m; ++i) {
    v += (x[i] - mu) * (x[i] - mu) / m;
  }
  const double r = 1 / std::sqrt(v + eps);

  Numbers xhat(m);
  double sum_g = 0, sum_g_xhat = 0;
  for (int i = 0; i < m; ++i) {
    xhat[i] = (x[i] - mu) * r;
    sum_g += gamma[i] * dy[i];
    sum_g_xhat += gamma[i] * dy[i] * xhat[i];
  }

  Numbers dx(m);
  for (int i = 0; i < m; ++i) {
    dx[i] = r * (gamma[i] * dy[i] - sum_g / m - xhat[i] * sum_g_xhat / m);
  }
  return dx;
}
