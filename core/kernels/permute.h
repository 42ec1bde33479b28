// Moving elements: permuted dimensions and copied rows.
#pragma once

#include <vector>

#include "gesso/core/shape.h"

namespace gesso {

/// y = x with its dimensions in another order: dimension d of y is dimension order[d] of x. `shape` is that
/// of x and `order` a permutation of 0 .. rank - 1. x and y must not overlap.
template <class T>
void permute_elements(const T* x, const Shape& shape, const std::vector<int>& order, T* y);

/// Copies `rows` rows of `count` elements: row r from x + r * x_step to y + r * y_step. x and y must not
/// overlap.
template <class T>
void copy_rows(const T* x, Index x_step, T* y, Index y_step, Index rows, Index count);

}  // namespace gesso
