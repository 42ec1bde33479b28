// Operations that move elements without changing them. All are recorded for backward. Tensor has more of them
// as members: reshape, slice of the first dimension (both share storage), clone and to.
#pragma once

#include <vector>

#include "gesso/core/tensor.h"

namespace gesso {

/// x with dimensions dim0 and dim1 exchanged (a copy); negative ones count from the end. Throws ArgumentError
/// for a dimension out of range.
Tensor transpose(const Tensor& x, int dim0, int dim1);

/// x with its dimensions in another order (a copy): dimension d of the result is dimension order[d] of x,
/// e.g. permute(x, {0, 2, 3, 1}) turns (N, C, H, W) into (N, H, W, C). Throws ArgumentError unless every
/// dimension is named once.
Tensor permute(const Tensor& x, const std::vector<int>& order);

/// The tensors one after the other along `dim`. Throws ArgumentError for an empty list and unless dtypes and
/// all sizes but that of `dim` are equal.
Tensor concat(const std::vector<Tensor>& tensors, int dim);

/// Indices begin <= i < end of dimension `dim`. Shares storage with x when dim is the first, else a copy.
/// Throws ArgumentError unless 0 <= begin <= end <= x.size(dim).
Tensor slice(const Tensor& x, int dim, Index begin, Index end);

}  // namespace gesso
