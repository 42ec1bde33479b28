// Solution of 09. δq = 2 mean(x δ) and x = x̂ / r, so δr = -1/2 r³ δq = -r² mean(x̂ δ), as in (10). But no
// mean of x moves: δx̂_i = r (δ_i - x̂_i mean(x̂ δ)). The upstream term and the x-hat term are left.
#include "exercise.h"

namespace {

double inverse_rms(const Numbers& x, double eps) {
  double q = 0;
  for (const double v : x) {
    q += v * v / x.size();
  }
  return 1 / std::sqrt(q + eps);
}

}  // namespace

Numbers rms_normalized(const Numbers& x, double eps) {
  Numbers xhat(x.size());
  const double r = inverse_rms(x, eps);
  for (int i = 0; i < x.size(); ++i) {
    xhat[i] = x[i] * r;
  }
  return xhat;
}

Numbers gradient_of_rms(const Numbers& g, const Numbers& x, double eps) {
  const int m = x.size();
  const double r = inverse_rms(x, eps);
  double mean_g_xhat = 0;
  for (int i = 0; i < m; ++i) {
    mean_g_xhat += g[i] * x[i] * r / m;
  }
  Numbers dx(m);
  for (int j = 0; j < m; ++j) {
    dx[j] = r * (g[j] - x[j] * r * mean_g_xhat);
  }
  return dx;
}
