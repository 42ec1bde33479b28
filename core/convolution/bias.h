// The bias of a convolution, for algorithms that add it separately.
#pragma once

#include "gesso/core/index.h"

namespace gesso {

/// y[n, c, pixel] += bias[c], for y (batch, channels, pixels).
template <class T>
void add_bias(Index batch, Index channels, Index pixels, const T* bias, T* y);

/// db[c] = sum over n and pixels of dy[n, c, pixel], for dy (batch, channels, pixels): the gradient to the
/// bias.
template <class T>
void bias_gradient(Index batch, Index channels, Index pixels, const T* dy, T* db);

}  // namespace gesso
