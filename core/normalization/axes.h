// Which elements of a tensor share a mean and a variance, and which share a gamma and a beta: all that tells
// the members of the normalization family apart, but for RMS norm, which leaves the mean alone. What is
// computed with it: plain.h.
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

/// A tensor seen as (samples, channels, inner): every (sample, channel) pair is a plane of `inner` contiguous
/// elements. A statistic is one mean and one variance:
///
///     |                | groups   | share_samples | a statistic is over          | rows        |
///     | instance norm  | channels | no            | the plane (n, c)             | per_channel |
///     | batch norm     | channels | yes           | channel c of all samples     | per_channel |
///     | group norm     | groups   | no            | channels / groups channels   | per_channel |
///     |                |          |               | of one sample                |             |
///     | layer norm     | 1        | no            | one sample                   | per_element |
///     | RMS norm       | as layer norm, and not centred                                        |
struct NormalizationAxes {
  Index samples = 1;
  Index channels = 1;
  Index inner = 1;
  Index groups = 1;
  bool share_samples = false;
  AffineRows rows = AffineRows::per_channel;
  bool centred = true;  ///< the mean is taken off; else 0 stands for it, and the variance is the mean of x^2

  /// x of shape (N, C, ...).
  static NormalizationAxes instance(const Shape& x, AffineRows rows = AffineRows::per_channel);
  static NormalizationAxes batch(const Shape& x);
  /// `groups` must divide C.
  static NormalizationAxes group(const Shape& x, Index groups);
  /// The last `rank` dimensions of x are normalized together.
  static NormalizationAxes layer(const Shape& x, int rank);
  /// layer() without the mean.
  static NormalizationAxes rms(const Shape& x, int rank);

  Index numel() const { return samples * channels * inner; }
  Index planes() const { return samples * channels; }
  /// How many statistics there are.
  Index statistics() const { return (share_samples ? 1 : samples) * groups; }
  /// How many elements share one.
  Index elements_per_statistic() const { return runs() * run_length(); }
  /// How many gammas there are, and as many betas.
  Index affine_size() const;

  /// The statistic of a plane.
  Index statistic(Index plane) const {
    return (share_samples ? 0 : plane / channels * groups) + plane % channels / (channels / groups);
  }
  /// Element k of those that share statistic s, as an index into x; 0 <= k < elements_per_statistic().
  Index element(Index s, Index k) const { return run_offset(s, k / run_length()) + k % run_length(); }
  /// The index of gamma and beta of an element of x, or of element i of a plane.
  Index row(Index element) const { return row(element / inner, element % inner); }
  Index row(Index plane, Index i) const {
    return rows == AffineRows::per_channel ? plane % channels : rows == AffineRows::per_plane ? plane : i;
  }

  // In memory the elements of a statistic are `runs()` contiguous runs, each of run_length() elements (whole
  // planes); run r of statistic s begins at element run_offset(s, r).
  Index runs() const { return share_samples ? samples : 1; }
  Index run_length() const { return channels / groups * inner; }
  Index run_offset(Index s, Index r) const { return (share_samples ? r * groups + s : s) * run_length(); }
};

}  // namespace gesso
