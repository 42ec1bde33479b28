// Solution of 08. From biased to unbiased is a factor of m / (m - 1). In eval mode the layer is a straight
// line, one slope per element, so dx = r g and x is not needed. In gesso: update_running in
// autograd/normalization.cpp; `statistics_of_x` of plain_backward in plain.h.
#include "exercise.h"

Moments updated(Moments running, Moments of_batch, int m, double momentum) {
  const double unbiased = of_batch.variance * m / (m - 1);
  return {(1 - momentum) * running.mean + momentum * of_batch.mean,
          (1 - momentum) * running.variance + momentum * unbiased};
}

Numbers gradient_of_x_in_eval(const Numbers& dy, const Numbers& gamma, Moments running, double eps) {
  Numbers dx(dy.size());
  const double r = 1 / std::sqrt(running.variance + eps);
  for (int i = 0; i < dy.size(); ++i) {
    dx[i] = r * gamma[i] * dy[i];
  }
  return dx;
}
