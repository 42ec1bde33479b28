// The style pictures. Each is the same for the same size and state of the generator; the size, in pixels, is
// that of the picture's short side, and larger sizes show the same picture more finely. The results are
// float32 (1, 3, height, width) with values in [0, 1].
#pragma once

#include "gesso/core/generator.h"
#include "gesso/core/tensor.h"

namespace draw {

/// A window of coloured glass in lead: sunrise over a river, with poppies.
gesso::Tensor stained_glass(int size, gesso::Generator& rng);

/// A copperplate of mountains by a lake, in swelling and crossed lines of ink on warm paper.
gesso::Tensor engraving(int size, gesso::Generator& rng);

/// An avenue in autumn, painted with a loaded brush.
gesso::Tensor brush_strokes(int size, gesso::Generator& rng);

/// A colour woodblock print of waves under a red sun.
gesso::Tensor waves(int size, gesso::Generator& rng);

}  // namespace draw
