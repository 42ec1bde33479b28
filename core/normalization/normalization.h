// The one normalization behind instance, batch, group and layer norm.
//
// A tensor is seen as (samples, channels, inner): every (sample, channel) pair is a plane of `inner`
// contiguous elements. The members of the family differ only in which planes share a mean and a variance, and
// in which elements share a gamma and a beta; NormalizationAxes says both, and one pair of kernels does the
// rest:
//
//     y = gamma (x - mean) inv_std + beta,   inv_std = 1 / sqrt(variance + eps)
//
// Derivation and figure: docs/normalization.md. All statistics and sums are float64 and added in one fixed
// order, and the arithmetic is never fused or reordered, so every result is the same bit for bit on any
// number of threads and any x86-64 CPU.
#pragma once

#include "gesso/core/shape.h"

namespace gesso {

/// Which elements share a gamma and a beta.
enum class AffineRows {
  per_channel,  ///< `channels` numbers: the usual
  per_plane,    ///< samples * channels numbers: every sample its own row (conditional and adaptive instance
                ///< norm)
  per_element,  ///< `inner` numbers: every element of a sample its own (layer norm, where channels is 1)
};

/// Which elements of x share a statistic, and which share a gamma and a beta. With R = channels / groups:
///
///     statistic of x[n, c, i] = (share_samples ? 0 : n * groups) + c / R
///
///     |                | groups   | share_samples | a statistic is over          | rows        |
///     | instance norm  | channels | no            | the plane (n, c)             | per_channel |
///     | batch norm     | channels | yes           | channel c of all samples     | per_channel |
///     | group norm     | groups   | no            | R channels of one sample     | per_channel |
///     | layer norm     | 1        | no            | one sample                   | per_element |
struct NormalizationAxes {
  Index samples = 1;
  Index channels = 1;
  Index inner = 1;
  Index groups = 1;
  bool share_samples = false;
  AffineRows rows = AffineRows::per_channel;

  /// x of shape (N, C, ...).
  static NormalizationAxes instance(const Shape& x, AffineRows rows = AffineRows::per_channel);
  static NormalizationAxes batch(const Shape& x);
  /// `groups` must divide C.
  static NormalizationAxes group(const Shape& x, Index groups);
  /// The last `rank` dimensions of x are normalized together.
  static NormalizationAxes layer(const Shape& x, int rank);

  Index numel() const { return samples * channels * inner; }
  Index planes() const { return samples * channels; }
  /// How many statistics there are.
  Index statistics() const { return (share_samples ? 1 : samples) * groups; }
  /// How many elements share one.
  Index elements_per_statistic() const { return runs() * run_length(); }
  /// How many gammas there are.
  Index affine_size() const;

  Index statistic(Index plane) const {
    return (share_samples ? 0 : plane / channels * groups) + plane % channels / (channels / groups);
  }
  /// Index of gamma and beta of element i of a plane.
  Index affine_index(Index plane, Index i) const {
    return rows == AffineRows::per_channel ? plane % channels : rows == AffineRows::per_plane ? plane : i;
  }

  // In memory the elements of a statistic are `runs()` contiguous runs, each of run_length() elements (whole
  // planes); run r of statistic s begins at element run_offset(s, r).
  Index runs() const { return share_samples ? samples : 1; }
  Index run_length() const { return channels / groups * inner; }
  Index run_offset(Index s, Index r) const { return (share_samples ? r * groups + s : s) * run_length(); }
};

/// The statistics of x: arrays of axes.statistics() numbers.
struct StatisticsIn {
  const double* mean;
  const double* inv_std;
};
struct StatisticsOut {
  double* mean;
  double* variance;  ///< biased
  double* inv_std;   ///< 1 / sqrt(variance + eps)
};

/// inv_std[s] = 1 / sqrt(variance[s] + eps)
void inverse_std(const double* variance, Index count, double eps, double* inv_std);

/// mean, variance and inv_std of x, no more.
template <class T>
void compute_statistics(const NormalizationAxes& axes, const T* x, double eps, StatisticsOut out);

/// y = gamma (x - mean) inv_std + beta with the given statistics; then max(y, 0) if `relu`. gamma and beta
/// have axes.affine_size() numbers and may be null, 1 and 0; rows per element have both or none.
template <class T>
void normalize_with(const NormalizationAxes& axes, const T* x, StatisticsIn statistics, const T* gamma,
                    const T* beta, bool relu, T* y);

/// The same with x's own statistics, which are written to `out`. Reads x from memory once when the elements
/// of a statistic fit in the L2 cache.
template <class T>
void normalize_forward(const NormalizationAxes& axes, const T* x, double eps, const T* gamma, const T* beta,
                       bool relu, T* y, StatisticsOut out);

/// What normalize_backward reads: dy is the gradient of the result (after the relu, if there was one).
template <class T>
struct NormalizeBackwardIn {
  const T* x;  ///< only its values at dx (for statistics of x), dgamma and the relu matter
  StatisticsIn statistics;
  bool statistics_of_x;  ///< the statistics came from x, so x moves them too; false for running statistics
  const T* gamma;        ///< may be null
  const T* beta;         ///< may be null; only read if relu
  bool relu;
  const T* dy;
};

/// What it writes; null where nobody wants it.
template <class T>
struct NormalizeBackwardOut {
  T* dx;
  T* dgamma;
  T* dbeta;
};

/// With g = gamma dy, x-hat = (x - mean) inv_std, and mean(...) over the elements of a statistic:
///
///     dx     = inv_std g - inv_std mean(g) - inv_std x-hat mean(g x-hat)
///     dgamma = sum of dy x-hat,  dbeta = sum of dy,  over the elements that share the gamma
///
/// For statistics that do not come from x the two means are not there. dx is computed as the three terms,
/// each rounded, added from left to right.
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
