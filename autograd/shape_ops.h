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

/// The tensors, all of one shape, beside each other along a new dimension `dim`: stack({x, y}, 0)[1] is y. Negative
/// `dim` counts from the end of the result's dimensions. Throws as concat does, and for a dimension out of range.
Tensor stack(const std::vector<Tensor>& tensors, int dim = 0);

/// x with a new dimension of size 1 before dimension `dim` (-1: at the end), sharing storage. Throws ArgumentError
/// for a dimension out of range.
Tensor unsqueeze(const Tensor& x, int dim);

/// x without dimension `dim` if that has size 1, else as it is; without a `dim`, without all dimensions of size 1.
/// Shares storage. Throws ArgumentError for a dimension out of range.
Tensor squeeze(const Tensor& x, int dim);
Tensor squeeze(const Tensor& x);

/// x with dimensions first to last, both included, as one: flatten(x, 1) turns (N, C, H, W) into (N, C H W). Shares
/// storage. Throws ArgumentError for dimensions out of range or in the other order.
Tensor flatten(const Tensor& x, int first = 0, int last = -1);

/// Indices begin <= i < end of dimension `dim`. Shares storage with x when dim is the first, else a copy.
/// Throws ArgumentError unless 0 <= begin <= end <= x.size(dim).
Tensor slice(const Tensor& x, int dim, Index begin, Index end);

}  // namespace gesso
