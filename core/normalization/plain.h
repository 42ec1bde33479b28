// The definition of normalization: instance, batch, group, layer and RMS norm, forward and backward, as plain
// loops under their formulas. Start here. Networks are trained with the kernels of normalization.h, which
// compute the same faster; tests hold them to these loops. The derivation is in docs/normalization.md.
//
// The members of the family differ only in which elements share a mean and a variance, and in which share a
// gamma and a beta, and one of them, RMS norm, has no mean; NormalizationAxes (axes.h) says all three. Of the
// arrays below
//
//     x, y, dy, dx             are (samples, channels, inner), row-major
//     mean, variance, inv_std  have one number for each of the axes.statistics() statistics
//     gamma, beta and their    have axes.affine_size() numbers; a layer without them has gamma 1 and beta 0
//       gradients
#pragma once

#include <cmath>
#include <vector>

#include "gesso/core/activation.h"
#include "gesso/core/normalization/axes.h"

namespace gesso {

/// For the m elements that share a statistic:
///
///     mean     = sum of x / m, or 0 if not centred    (with `statistics_of_x`,
///     variance = sum of (x - mean)^2 / m               else both are given: running statistics)
///     inv_std  = 1 / sqrt(variance + eps)
///     z        = gamma (x - mean) inv_std + beta
///     y        = z, or max(z, 0) with the relu
inline void plain_forward(const NormalizationAxes& axes, const double* x, bool statistics_of_x, double eps,
                          const double* gamma, const double* beta, Activation activation, double* y,
                          double* mean, double* variance, double* inv_std) {
  const Index m = axes.elements_per_statistic();
  for (Index s = 0; s < axes.statistics(); ++s) {
    if (statistics_of_x) {
      long double sum = 0, squares = 0;
      for (Index k = 0; k < m && axes.centred; ++k) {
        sum += x[axes.element(s, k)];
      }
      for (Index k = 0; k < m; ++k) {
        const long double deviation = x[axes.element(s, k)] - sum / m;
        squares += deviation * deviation;
      }
      mean[s] = static_cast<double>(sum / m);
      variance[s] = static_cast<double>(squares / m);
    }
    inv_std[s] = 1 / std::sqrt(variance[s] + eps);
    for (Index k = 0; k < m; ++k) {
      const Index e = axes.element(s, k), row = axes.row(e);
      const double xhat = (x[e] - mean[s]) * inv_std[s];
      const double z = gamma[row] * xhat + beta[row];
      y[e] = activation == Activation::relu && z < 0 ? 0 : z;
    }
  }
}

/// From dy, the gradient of y. With x-hat = (x - mean) inv_std and z as above, again for the m elements that
/// share a statistic:
///
///     dz     = dy, or with the relu dy where z > 0, else 0 (at NaN dy, as PyTorch)
///     dbeta  = sum of dz          over the elements that share the beta
///     dgamma = sum of dz x-hat    over the elements that share the gamma
///     g      = gamma dz
///     dx     = inv_std (g - sum of g / m - x-hat (sum of g x-hat) / m)
///
/// The two sums in dx are there because x moves the mean and the variance too; they drop out if those were
/// given, and the first one where there is no mean.
inline void plain_backward(const NormalizationAxes& axes, const double* x, bool statistics_of_x,
                           const double* mean, const double* inv_std, const double* gamma, const double* beta,
                           Activation activation, const double* dy, double* dx, double* dgamma,
                           double* dbeta) {
  const Index m = axes.elements_per_statistic();
  std::vector<double> xhat(m), g(m);  // of one statistic
  std::vector<long double> dgamma_sum(axes.affine_size()), dbeta_sum(axes.affine_size());
  for (Index s = 0; s < axes.statistics(); ++s) {
    long double sum_g = 0, sum_g_xhat = 0;
    for (Index k = 0; k < m; ++k) {
      const Index e = axes.element(s, k), row = axes.row(e);
      xhat[k] = (x[e] - mean[s]) * inv_std[s];
      const bool open = activation == Activation::none || !(gamma[row] * xhat[k] + beta[row] <= 0);
      const double dz = open ? dy[e] : 0;
      dbeta_sum[row] += dz;
      dgamma_sum[row] += dz * xhat[k];
      g[k] = gamma[row] * dz;
      sum_g += g[k];
      sum_g_xhat += g[k] * xhat[k];
    }
    const long double mean_g = statistics_of_x && axes.centred ? sum_g / m : 0;
    const long double mean_g_xhat = statistics_of_x ? sum_g_xhat / m : 0;
    for (Index k = 0; k < m; ++k) {
      dx[axes.element(s, k)] = static_cast<double>(inv_std[s] * (g[k] - mean_g - xhat[k] * mean_g_xhat));
    }
  }
  for (Index row = 0; row < axes.affine_size(); ++row) {
    dgamma[row] = static_cast<double>(dgamma_sum[row]);
    dbeta[row] = static_cast<double>(dbeta_sum[row]);
  }
}

}  // namespace gesso
