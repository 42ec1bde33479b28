// The kernels behind instance, batch, group, layer and RMS norm. Read plain.h first: it defines what they
// compute, and tests hold them to it. What they add:
//
// - All statistics and sums are float64, added in one fixed order, and the arithmetic is never fused or
//   reordered: a result is the same bit for bit on any number of threads and any x86-64 CPU.
// - The mean and the variance keep their digits however far x is from 0 (moments.h), and so does x - mean:
//   the mean is split into two numbers of x's type (planes.h).
// - Statistics whose elements fit in the L2 cache are computed and used by one thread while they are in it,
//   so x comes from memory once; larger ones are cut into pieces.
// - The relu is part of the pass, forward and backward. Results that no cache holds are written past the
//   caches.
#pragma once

#include "gesso/core/activation.h"
#include "gesso/core/normalization/axes.h"

namespace gesso {

/// The statistics of x: arrays of axes.statistics() numbers.
struct StatisticsIn {
  const double* mean;
  const double* inv_std;
};
struct StatisticsOut {
  double* mean;
  double* variance;  ///< biased; the mean of x^2 where axes are not centred, with a mean of 0
  double* inv_std;   ///< 1 / sqrt(variance + eps)
};

/// inv_std[s] = 1 / sqrt(variance[s] + eps)
void inverse_std(const double* variance, Index count, double eps, double* inv_std);

/// mean, variance and inv_std of x, and nothing else.
template <class T>
void compute_statistics(const NormalizationAxes& axes, const T* x, double eps, StatisticsOut out);

/// y = gamma (x - mean) inv_std + beta with the given statistics, then the activation. gamma and beta have
/// axes.affine_size() numbers and may be null, for 1 and 0; rows per element have both or neither.
template <class T>
void normalize_with(const NormalizationAxes& axes, const T* x, StatisticsIn statistics, const T* gamma,
                    const T* beta, Activation activation, T* y);

/// The same with x's own statistics, which are written to `out`.
template <class T>
void normalize_forward(const NormalizationAxes& axes, const T* x, double eps, const T* gamma, const T* beta,
                       Activation activation, T* y, StatisticsOut out);

/// What normalize_backward reads: dy is the gradient of the result (after the activation).
template <class T>
struct NormalizeBackwardIn {
  const T* x;  ///< only its values at dx (for statistics of x), dgamma and the relu matter
  StatisticsIn statistics;
  bool statistics_of_x;  ///< the statistics came from x, so x moves them too; false for running statistics
  const T* gamma;        ///< may be null
  const T* beta;         ///< may be null; only read for the relu
  Activation activation;
  const T* dy;
};

/// What it writes; null where nobody wants it.
template <class T>
struct NormalizeBackwardOut {
  T* dx;
  T* dgamma;
  T* dbeta;
  /// dgamma and dbeta of each plane by itself, axes.planes() numbers each: the sum over samples is left to whoever has
  /// samples elsewhere too. Both or neither, in place of dgamma and dbeta; not for rows per element.
  double* plane_dgamma = nullptr;
  double* plane_dbeta = nullptr;
};

/// Two sums over elements of one statistic: of g = gamma dy, and of g (x - mean).
struct GradientSums {
  double g = 0;
  double g_deviation = 0;

  GradientSums& operator+=(const GradientSums& other) {
    g += other.g;
    g_deviation += other.g_deviation;
    return *this;
  }
};

/// plain_backward() of plain.h. dx is computed as its three terms, each rounded, added from left to right.
template <class T>
void normalize_backward(const NormalizationAxes& axes, const NormalizeBackwardIn<T>& in,
                        const NormalizeBackwardOut<T>& out);

/// dx taken apart, to look inside; each array is as large as x.
template <class T>
struct NormalizeBackwardTerms {
  T* xhat;
  T* upstream_term;  ///< inv_std g
  T* mean_term;      ///< -inv_std mean(g)
  T* xhat_term;      ///< -inv_std x-hat mean(g x-hat)
};

/// Writes all four; (upstream_term + mean_term) + xhat_term is normalize_backward's dx bit for bit. On one
/// thread.
template <class T>
void normalize_backward_terms(const NormalizationAxes& axes, const NormalizeBackwardIn<T>& in,
                              const NormalizeBackwardTerms<T>& out);

}  // namespace gesso
