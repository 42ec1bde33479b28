// How bright a pixel is, for measures of pictures.
#pragma once

#include "gesso/core/index.h"

namespace gesso {

/// The mean of a pixel's three colours, `at` being the first of a picture (1, 3, H, W) with H * W = `pixels`.
inline double brightness(const float* at, Index pixels) {
  return (double{at[0]} + double{at[pixels]} + double{at[2 * pixels]}) / 3;
}

}  // namespace gesso
