// Products of matrices that lie in groups of 16 columns and panels of 32, small enough to stay in the caches:
// the inner loops of Winograd's convolution, of Gram matrices and of a convolution's frame. Compiled for
// AVX-512, AVX2 and plain x86-64 (or any other CPU); the choice is made when the program runs. Arguments are
// packed by the caller, who often has to copy them anyway; a general library would pack them again.
//
//     groups   a[column / 16][row][column % 16]
//     panels   b[column / 32][row][column % 32]
#pragma once

#include "gesso/core/index.h"

namespace gesso {

inline constexpr int kGroup = 16;  ///< columns in a group
inline constexpr int kPanel = 32;  ///< columns in a panel

template <class T>
struct PanelKernels {
  /// y[t * y_row + g * y_group + o] (+)= the sum over c < channels of
  /// x[c / 16 * x_group + t * 16 + c % 16] w[c * 32 + 16 g + o], for t < rows, g < groups (1 or 2), o < 16:
  /// added to y if `add`. Meanwhile it fetches as many weights as it reads into the second-level cache, from
  /// `next` on.
  void (*product)(const T* x, Index x_group, int rows, int channels, const T* w, int groups, T* y,
                  Index y_row, Index y_group, bool add, const T* next);
  /// sum[c * sum_row + 16 g + o] (+)= the sum over t < rows of x[t * 16 + c] y[g * y_group + t * 16 + o] for
  /// c < 16, g < groups (1 or 2), o < 16.
  void (*product_sum)(const T* x, const T* y, Index y_group, int rows, int groups, T* sum, Index sum_row,
                      bool add);
  /// to[t * 16 + c] = x[c * x_row + t] - mean[c] for c < channels (at most 16) and 0 for the others, t <
  /// count. `mean` may be null: 0. However far from 0 the mean is, the difference loses no digits.
  void (*transpose)(const T* x, Index x_row, int channels, const double* mean, int count, T* to);
};

/// The kernels for this CPU, for float and double.
template <class T>
const PanelKernels<T>& panel_kernels();

}  // namespace gesso
