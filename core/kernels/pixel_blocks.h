// Blocks of k by k pixels as one pixel, and one pixel as a block: 2x nearest upsampling, averages of 2x2
// pixels, and the gradients of both. These two kernels run at the speed of memory.
#pragma once

#include "gesso/core/planes.h"

namespace gesso {

/// y[p, i, j] = factor * the sum of x[p, k i + a, k j + b] over 0 <= a, b < k. x has `planes`; y's planes are
/// height / k by width / k, rounded down: rows and columns that fill no block are left out.
template <class T>
void sum_blocks(const Planes& planes, Index k, T factor, const T* x, T* y);

/// y[p, i, j] = factor * x[p, i / k, j / k], the transpose of sum_blocks. y has `planes`; x's planes are
/// height / k by width / k, rounded down: y is 0 in rows and columns beyond its last whole block.
template <class T>
void repeat_blocks(const Planes& planes, Index k, T factor, const T* x, T* y);

}  // namespace gesso
