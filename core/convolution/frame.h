// The gradient that the frame of a padded picture passes on. When a convolution pads by reflection or
// replication, a pixel of x is read in its own place and again wherever the frame shows it. The gradient to x
// is that of a convolution padded by zeros, plus this. Arrays and formulas: core/convolution/convolution.h.
#pragma once

#include "gesso/core/convolution/shape.h"

namespace gesso {

/// dx += the gradient to each position of the frame, at the pixel that it shows. Does nothing for
/// PaddingMode::zeros. The frame is computed as four strips, each only as large as what is read of it.
template <class T>
void add_frame_gradient(const ConvolutionShape& shape, const T* dy, const T* w, T* dx);

}  // namespace gesso
