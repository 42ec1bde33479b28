// Solution of 04. mean(x) takes x_j / m, and is taken off every x̂_i: x_j moves each of them by -r / m. The
// loss follows by -(r / m) Σ_i g_i = -r mean(g), the same for every j. In gesso: dx_terms in
// core/normalization/backward.cpp.
#include "exercise.h"

Numbers gradient_of_centring(const Numbers& g, double r) {
  Numbers dx(g.size());
  const double mean_g = mean(g);
  for (int j = 0; j < g.size(); ++j) {
    dx[j] = r * g[j] - r * mean_g;
  }
  return dx;
}
