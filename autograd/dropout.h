// Dropout (Srivastava et al. 2014): numbers are left out at random, so that a network learns to rely on none.
#pragma once

#include "gesso/core/generator.h"
#include "gesso/core/tensor.h"

namespace gesso {

/// x with each number left out (set to 0) with the probability p, and the others divided by 1 - p, so that the mean
/// stays. The gradient passes through those that stay. The same generator state leaves out the same numbers, on any
/// number of threads; numbers differ from PyTorch's. Throws ArgumentError unless p is from 0 to 1.
Tensor dropout(const Tensor& x, double p, Generator& rng);

/// The same with whole planes of x, (N, C, H, W) or (C, H, W), left out (Tompson et al. 2015, arXiv 1411.4280):
/// neighbouring pixels are so alike that one says what the other was.
Tensor dropout2d(const Tensor& x, double p, Generator& rng);

}  // namespace gesso
