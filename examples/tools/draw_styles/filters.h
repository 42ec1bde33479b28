// Filters over the fine pixels of a canvas.
#pragma once

#include <functional>

#include "canvas.h"

namespace draw {

/// For each fine pixel the distance, in units of the picture plane, to the nearest one for which `inside(x,
/// y)` holds; very large if there is none. Exact, in linear time (Felzenszwalb and Huttenlocher 2012,
/// "Distance transforms of sampled functions").
Field distance_to(const Canvas& canvas, const std::function<bool(int, int)>& inside);

/// The field blurred with a Gaussian of standard deviation `sigma` units of the picture plane, nearly: three
/// moving averages along each axis.
Field blurred(const Canvas& canvas, const Field& field, double sigma);

}  // namespace draw
