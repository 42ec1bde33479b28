// A look inside a normalization layer: what it computes on the way forward and, term by term, on the way
// back. Read core/normalization/plain.h first: it has the formulas.
#pragma once

#include <vector>

#include "gesso/layers/normalization/layer.h"

namespace gesso {

/// One normalization taken apart. With g = gamma dy (dy after the relu, if the layer has one) and mean(...)
/// over the elements of a statistic, dx is the sum of three terms:
///
///     dx = inv_std g  -  inv_std mean(g)  -  inv_std x-hat mean(g x-hat)
///          upstream_term   mean_term         xhat_term
///
/// The second removes the part of g along the constant 1, the third the part along x-hat: those could only
/// change the mean and the variance, which are taken out again anyway. For running statistics both are 0,
/// and for RMS norm, which has no mean, the second.
struct NormalizationTerms {
  NormalizationAxes axes;

  // Of each statistic, float64. Shape (N, groups) for statistics of a sample, where instance norm has C
  // groups and layer norm has 1; (C) for those of a channel.
  Tensor mean;
  Tensor variance;  ///< biased; of RMS norm, whose mean is 0, the mean of x^2
  Tensor inv_std;   ///< 1 / sqrt(variance + eps)
  /// The share of |g|^2 that the mean term removed: |1 mean(g)|^2 / |g|^2, 0 to 1.
  Tensor removed_by_mean;
  /// The share that the x-hat term removed, as the projection onto x-hat: mean(g x-hat)^2 / (mean(x-hat^2)
  /// mean(g^2)), 0 to 1. What remains is 1 minus both.
  Tensor removed_by_xhat;

  // Of x's shape and dtype. (upstream_term + mean_term) + xhat_term is this normalization's dx bit for bit.
  Tensor xhat;
  Tensor upstream_term, mean_term, xhat_term;
};

struct NormalizationInspection {
  Tensor y;   ///< what forward() returns
  Tensor dx;  ///< what backward() gives x
  /// One, except for BatchInstanceNorm2d: its batch part and its instance part, whose dx add up.
  std::vector<NormalizationTerms> parts;
};

/// What `layer` does with x and with the gradient `upstream` of its result, in the mode it is in. Changes
/// nothing: the running statistics stay. Throws ArgumentError for an x that the layer does not take, and
/// unless upstream has x's shape and dtype.
NormalizationInspection inspect_normalization(const NormalizationLayer& layer, const Tensor& x,
                                              const Tensor& upstream);

}  // namespace gesso
