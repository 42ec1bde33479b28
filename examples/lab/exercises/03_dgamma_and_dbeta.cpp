// 03  The gradients of gamma and beta
//
// The backward begins. dy_i says how much the loss grows when y_i grows. A gamma reaches the loss through
// every element that uses it, and so does a beta. Equations (7) and (8):
//
//     dγ_k = sum of dy_i x̂_i over all i with gamma k
//     dβ_k = sum of dy_i     over all i with beta k
//
// Which gamma an element uses is the layer's choice, and given: element i uses gamma row[i] and beta row[i].
// (y_i = γ_row[i] x̂_i + β_row[i])
//
//     examples/lab/exercises/check 3
//     examples/lab/exercises/check --hint 3
#include "exercise.h"

// There are `rows` gammas, and as many betas; 0 <= row[i] < rows.
AffineGradients affine_gradients(const Numbers& dy, const Numbers& xhat, const std::vector<int>& row,
                                 int rows) {
  AffineGradients gradients{Numbers(rows), Numbers(rows)};
  for (int i = 0; i < dy.size(); ++i) {
    // YOUR CODE: what element i adds to gradients.dgamma and gradients.dbeta.
  }
  return gradients;
}
