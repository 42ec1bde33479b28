// The relatives of normalization that work on weights instead of activations. Each takes the tensor that is
// trained and gives the weight that a layer computes with. A weight of shape (n, ...) is seen as a matrix W
// of n rows, a row being all that belongs to one output of the layer: (out, in / groups * kernel height *
// kernel width) of Conv2d's.
//
// All are put together from other operations, which have their gradients. docs/normalization.md derives what
// these say, and the layers are in layers/normalization/.
#pragma once

#include "gesso/core/tensor.h"

namespace gesso {

/// The Euclidean norm of each row of a weight (n, ...), in a shape that broadcasts with it: (n, 1, ...).
/// Throws ArgumentError for fewer than two dimensions, as all of these do.
Tensor row_norms(const Tensor& weight);

/// Weight norm (Salimans and Kingma 2016, arXiv 1602.07868, eq. 2): rows of length g in the directions of v,
///
///     w = g v / |v|
///
/// v has shape (n, ...), g that of row_norms(v). A row of zeros has no direction and gives NaN, as in
/// PyTorch. Throws ArgumentError for a g of another shape.
Tensor weight_norm(const Tensor& v, const Tensor& g);

/// Weight standardization (Qiao et al. 2019, arXiv 1903.10520, eq. 6): each row minus its mean, divided by
/// its deviation,
///
///     w = (weight - mean) / sqrt(variance + eps)
///
/// with the biased variance: layer norm of the rows. Throws ArgumentError for rows of one number, whose
/// variance is 0, and a negative eps.
Tensor standardize_weight(const Tensor& weight, double eps = 1e-5);

/// Approximations of the left and the right singular vector of W that belong to its largest singular value: u
/// (n) and v (all other dimensions together), both of length 1.
struct SingularVectors {
  Tensor u, v;
};

/// Brings the vectors nearer, in place, by `iterations` times
///
///     v = W^T u / max(|W^T u|, eps)
///     u = W v   / max(|W v|, eps)
///
/// (Miyato et al. 2018, arXiv 1802.05957, algorithm 1.) Nothing is recorded for backward. Throws
/// ArgumentError for vectors that do not fit.
void power_iteration(const Tensor& weight, const SingularVectors& vectors, Index iterations = 1,
                     double eps = 1e-12);

/// The largest singular value of W, from its vectors: sigma = u^T W v, a scalar. Spectral norm (Miyato et al.
/// 2018, eq. 8) is weight / sigma, which makes no vector longer. u and v count as constants in backward: the
/// gradient is u v^T, exact where the vectors are.
Tensor largest_singular_value(const Tensor& weight, const SingularVectors& vectors);

}  // namespace gesso
