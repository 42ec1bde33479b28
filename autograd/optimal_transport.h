// How far a channel's values are from a wanted distribution, wherever in the picture they are.
#pragma once

#include "gesso/core/tensor.h"

namespace gesso {

/// The squared 2-Wasserstein distance between the H W values of each channel of x (N, C, H, W) and those of
/// the same channel of `target` (N, C, H', W') or, one for all samples, (1, C, H', W'): (N, C). The number of
/// values may differ, see core/kernels/optimal_transport.h. The target is a constant: no gradient flows to
/// it. NaN in x or target gives NaN. Throws ArgumentError for other shapes, dtypes that differ, planes
/// without pixels or of 2^32 and more.
///
/// Over random projections of features this is the sliced Wasserstein distance (Bonneel et al. 2015); for
/// textures, Heitz et al. 2021 (arXiv 2006.07229).
Tensor squared_wasserstein(const Tensor& x, const Tensor& target);

}  // namespace gesso
