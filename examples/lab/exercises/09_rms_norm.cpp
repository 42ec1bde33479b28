// 09  RMS norm: a layer that does not centre
//
// Zhang and Sennrich 2019 (arXiv 1910.07467) leave the mean out, and many language models follow them:
//
//     q    = mean of x_i²
//     r    = 1 / sqrt(q + eps)
//     x̂_i = x_i r
//
// Forward and backward. For the backward, do with q what (10) and (11) of docs/normalization.md do with v:
// move every x_i by a little δ_i. Which of the three terms of (13) are left?
//
//     examples/lab/exercises/check 9
//     examples/lab/exercises/check --hint 9
#include "exercise.h"

Numbers rms_normalized(const Numbers& x, double eps) {
  Numbers xhat(x.size());
  // YOUR CODE
  return xhat;
}

// From g, the gradient of x̂, the gradient of x.
Numbers gradient_of_rms(const Numbers& g, const Numbers& x, double eps) {
  Numbers dx(x.size());
  // YOUR CODE
  return dx;
}
