// The definition of normalization: plain loops, nothing clever. Read these first; tests hold the kernels of
// normalization.h to them. All sums in long double.
#pragma once

#include <cmath>
#include <vector>

#include "gesso/core/normalization/normalization.h"

namespace gesso {

/// mean, variance and inv_std of x: two passes over the elements of each statistic.
template <class T>
void plain_statistics(const NormalizationAxes& axes, const T* x, double eps, StatisticsOut out) {
  std::vector<long double> sum(axes.statistics()), squares(axes.statistics());
  const Index count = axes.elements_per_statistic();
  for (Index plane = 0; plane < axes.planes(); ++plane) {
    for (Index i = 0; i < axes.inner; ++i) {
      sum[axes.statistic(plane)] += x[plane * axes.inner + i];
    }
  }
  for (Index plane = 0; plane < axes.planes(); ++plane) {
    const Index s = axes.statistic(plane);
    for (Index i = 0; i < axes.inner; ++i) {
      const long double deviation = x[plane * axes.inner + i] - sum[s] / count;
      squares[s] += deviation * deviation;
    }
  }
  for (Index s = 0; s < axes.statistics(); ++s) {
    out.mean[s] = static_cast<double>(sum[s] / count);
    out.variance[s] = static_cast<double>(squares[s] / count);
    out.inv_std[s] = 1 / std::sqrt(out.variance[s] + eps);
  }
}

/// y = gamma (x - mean) inv_std + beta, then max(y, 0) if `relu`.
template <class T>
void plain_normalize(const NormalizationAxes& axes, const T* x, StatisticsIn statistics, const T* gamma,
                     const T* beta, bool relu, T* y) {
  for (Index plane = 0; plane < axes.planes(); ++plane) {
    const Index s = axes.statistic(plane);
    for (Index i = 0; i < axes.inner; ++i) {
      const Index element = plane * axes.inner + i, row = axes.affine_index(plane, i);
      const double xhat = (x[element] - statistics.mean[s]) * statistics.inv_std[s];
      const double z = (gamma ? gamma[row] : 1) * xhat + (beta ? beta[row] : 0);
      y[element] = static_cast<T>(relu && z < 0 ? 0 : z);
    }
  }
}

/// dx, dgamma and dbeta, each of which may be null.
template <class T>
void plain_normalize_backward(const NormalizationAxes& axes, const NormalizeBackwardIn<T>& in,
                              const NormalizeBackwardOut<T>& out) {
  const Index n = axes.numel(), count = axes.elements_per_statistic();
  std::vector<double> xhat(n), g(n);
  std::vector<long double> dgamma(axes.affine_size()), dbeta(axes.affine_size());
  std::vector<long double> sum_g(axes.statistics()), sum_g_xhat(axes.statistics());
  for (Index plane = 0; plane < axes.planes(); ++plane) {
    const Index s = axes.statistic(plane);
    for (Index i = 0; i < axes.inner; ++i) {
      const Index e = plane * axes.inner + i, row = axes.affine_index(plane, i);
      const double gamma = in.gamma ? in.gamma[row] : 1, beta = in.beta ? in.beta[row] : 0;
      xhat[e] = (in.x[e] - in.statistics.mean[s]) * in.statistics.inv_std[s];
      const double dz = !in.relu || gamma * xhat[e] + beta > 0 ? in.dy[e] : 0;
      g[e] = gamma * dz;
      dgamma[row] += dz * xhat[e];
      dbeta[row] += dz;
      sum_g[s] += g[e];
      sum_g_xhat[s] += g[e] * xhat[e];
    }
  }
  for (Index e = 0; out.dx && e < n; ++e) {
    const Index s = axes.statistic(e / axes.inner);
    const long double through_mean = in.statistics_of_x ? sum_g[s] / count : 0;
    const long double through_variance = in.statistics_of_x ? xhat[e] * sum_g_xhat[s] / count : 0;
    out.dx[e] = static_cast<T>(in.statistics.inv_std[s] * (g[e] - through_mean - through_variance));
  }
  for (Index row = 0; row < axes.affine_size(); ++row) {
    if (out.dgamma) {
      out.dgamma[row] = static_cast<T>(dgamma[row]);
    }
    if (out.dbeta) {
      out.dbeta[row] = static_cast<T>(dbeta[row]);
    }
  }
}

}  // namespace gesso
