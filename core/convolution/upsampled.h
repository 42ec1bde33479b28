// A convolution with 3 x 3 kernels and padding 1 of a picture enlarged twice, each of its pixels repeated 2 x 2, as
// convolutions of the small picture. Row 2 i + a of the result reads with tap u row 2 i + a + u - 1 of the large
// picture, which is row i + floor((a + u - 1) / 2) of the small one. So the pixels of phase (a, b), every other row and
// column, are the convolution of the small picture with a kernel of 2 x 2 sums of taps, here in a frame of 3 x 3:
//
//     k[a, b, o, c, (a + u + 1) / 2, (b + v + 1) / 2] += w[o, c, u, v]        (rounded down)
//
// Padding with zeros stays that; where the large picture is reflected or repeated, the small one is repeated: pixel -1
// of the large picture is its pixel 1 or 0, pixel 0 of the small one. So a quarter of the pixels is
// transformed, and four ninths of the products are with zeros.
#pragma once

#include "gesso/core/index.h"
#include "gesso/core/size2d.h"

namespace gesso {

/// k (4 out, in, 3, 3): phase (a, b)'s kernels from 2 a + b times `out` on, from w (out, in, 3, 3).
template <class T>
void phase_kernels(Index out, Index in, const T* w, T* k);

/// dw from dk, their gradients.
template <class T>
void phase_kernels_gradient(Index out, Index in, const T* dk, T* dw);

/// y (batch, channels, 2 height, 2 width), y[n, c, 2 i + a, 2 j + b] = phases[n, 2 a + b, c, i, j], from
/// phases of `size`.
template <class T>
void join_phases(Index batch, Index channels, Size2d size, const T* phases, T* y);

/// The inverse.
template <class T>
void split_phases(Index batch, Index channels, Size2d size, const T* y, T* phases);

}  // namespace gesso
