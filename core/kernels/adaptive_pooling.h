// Means of windows that divide planes into a given number of rows and columns: the kernels.
#pragma once

#include "gesso/core/planes.h"
#include "gesso/core/size2d.h"

namespace gesso {

/// y[p, i, j] = the mean of x[p, a, b] over the rows floor(i H / h) <= a < ceil((i + 1) H / h) and columns likewise;
/// y's planes are `size`. Windows overlap where h does not divide H. Sums are wide.
template <class T>
void adaptive_avg_pool(const Planes& planes, Size2d size, const T* x, T* y);

/// dx[p, a, b] = the sum of dy[p, i, j] / its window's number of pixels over the windows that (a, b) is in.
template <class T>
void adaptive_avg_pool_backward(const Planes& planes, Size2d size, const T* dy, T* dx);

}  // namespace gesso
