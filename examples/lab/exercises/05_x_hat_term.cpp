// 05  The x-hat term, and with it the whole gradient of x
//
// Now r moves with x too, as it does in the layer. Equation (13):
//
//     dx_j = r g_j  -  r mean(g)  -  r x̂_j mean(g x̂)
//            upstream    mean term     x-hat term
//
// mean(g x̂) is the average of the products g_i x̂_i.
//
//     examples/lab/exercises/check 5
//     examples/lab/exercises/check --hint 5
#include "exercise.h"

// g is the gradient of x̂, γ dy; r = 1 / sqrt(v + eps).
Numbers gradient_of_x(const Numbers& g, const Numbers& xhat, double r) {
  Numbers dx(g.size());
  const double mean_g = mean(g);
  for (int j = 0; j < g.size(); ++j) {
    dx[j] = r * g[j] - r * mean_g;  // YOUR CODE: and the x-hat term
  }
  return dx;
}
