// im2col: the pixels that a convolution reads, laid out as a matrix, so that the convolution becomes a
// product of matrices.
//
//     columns[(c, u, v), p] = x[c, s i - p_h + d u, s j - p_w + d v]    for pixel p = i * out.width + j of y
//
// has one row for each input channel c and kernel tap (u, v), and one column for each of a run of pixels
// of y.
#pragma once

#include "gesso/core/convolution/shape.h"
#include "gesso/core/index.h"

namespace gesso {

/// Writes the columns of pixels begin <= p < end, for the first `channels` channels at x (channels,
/// in.height, in.width): columns (channels * taps, end - begin). Padding may be negative, which leaves out
/// pixels of x.
template <class T>
void im2col(const ConvolutionShape& shape, const T* x, Index channels, Index begin, Index end, T* columns);

/// The transpose of im2col, for PaddingMode::zeros: adds every number of the columns to the pixel of dx that
/// it stands for.
template <class T>
void add_col2im(const ConvolutionShape& shape, const T* columns, Index channels, Index begin, Index end,
                T* dx);

}  // namespace gesso
