// Pictures turned by any angle. For loading: autograd does not record it, and an x whose gradient would be
// lost (it requires one and recording is on) is refused with an ArgumentError.
#pragma once

#include "gesso/core/tensor.h"

namespace gesso {

/// `x` (N, C, H, W) turned about its middle by `angle` radians, counter-clockwise: the middle `height` x
/// `width` pixels of the result, between pixels linear. What lies beyond the border is its mirror image.
/// Results do not depend on the number of threads. Throws ArgumentError unless x is (N, C, H, W) with
/// H, W >= 1, height, width >= 0 and angle is finite.
Tensor turn_picture(const Tensor& x, double angle, Index height, Index width);

}  // namespace gesso
