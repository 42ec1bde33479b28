// What a picture's spectrum says about how it is painted: whether its texture prefers upright and level lines,
// the weave that a network's upsampling leaves.
#pragma once

#include "gesso/core/tensor.h"

namespace gesso {

/// Of the brightness (mean of the colours) of a picture. Energies are of squares of up to 128 x 128 pixels
/// that overlap by half, each less its mean and under a Hann window, averaged.
struct PictureSpectrum {
  /// Mean energy at periods of 3 to 8 pixels of upright lines (within 15 degrees) over that of diagonal ones
  /// (30 to 60 degrees): 1 without a preference.
  double upright;
  double level;  ///< the same of level lines
};

/// Throws ArgumentError unless the picture is float32 (1, 3, H, W) with H and W of at least 32. A picture
/// without any texture has no preference.
PictureSpectrum measure_spectrum(const Tensor& picture);

}  // namespace gesso
