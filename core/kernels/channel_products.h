// Products of a picture's channels with each other: the kernels behind Gram and covariance matrices. Sample n
// of x, (N, C, P) with P pixels a channel, is a matrix F of C rows.
#pragma once

#include "gesso/core/index.h"

namespace gesso {

/// y[n] = scale (F - mean[n] 1^T)(F - mean[n] 1^T)^T: (N, C, C), exactly symmetric. `mean` is (N, C), or null
/// for F as it is. Blocks of columns are centred in a buffer that stays in cache, so F is read once and never
/// copied as a whole; products of blocks are added up in float64, in order.
template <class T>
void channel_products(const T* x, const double* mean, double scale, Index samples, Index channels,
                      Index pixels, T* y);

/// dx[n] = scale (s[n] + s[n]^T)(F - mean[n] 1^T) + shift[n] 1^T for s (N, C, C): what the gradient of
/// channel_products comes to, for s the gradient of its result. `mean` and `shift` are (N, C) or null.
template <class T>
void mix_channels(const T* x, const double* mean, const T* s, double scale, const double* shift,
                  Index samples, Index channels, Index pixels, T* dx);

}  // namespace gesso
