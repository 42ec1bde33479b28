// Optimal transport on the line: how far each of many numbers has to move to become a sample of another
// distribution, moving as little as possible.
#pragma once

#include "gesso/core/index.h"

namespace gesso {

/// Sorts `count` numbers in ascending order, -0 as 0 and NaNs beyond the infinities, at the end of their
/// sign.
template <class T>
void sort_values(T* values, Index count);

/// difference[i] = x[i] - q(rank of x[i]), where q(r) is the value at the same quantile of `target`: with n =
/// `count` numbers and m = `target_count` sorted ones, at position (r + 1/2) m / n - 1/2 of the target,
/// interpolated between neighbours and held at its ends. In one dimension sorting is the optimal transport
/// (Villani 2003, section 2.2), so mean(difference^2) is the squared 2-Wasserstein distance, up to the
/// interpolation. Equal numbers are ranked in the order of their indices; a NaN in either gives NaN where it
/// takes part. `count` must be below 2^32 and `target_count` at least 1. Works on one thread.
template <class T>
void transport(const T* x, Index count, const T* target, Index target_count, T* difference);

/// The definition of transport(), by a comparison sort.
template <class T>
void transport_plain(const T* x, Index count, const T* target, Index target_count, T* difference);

}  // namespace gesso
