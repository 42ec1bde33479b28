// Hatching: lines that follow a field of directions at even distances.
#pragma once

#include <functional>
#include <vector>

#include "geometry.h"
#include "gesso/core/generator.h"

namespace draw {

/// Lines along `direction` (whose sense does not matter) over the part of [0, aspect] x [0, 1] where `inside`
/// holds, `spacing` apart, each as long as it can be (Jobard and Lefer 1997, "Creating evenly-spaced
/// streamlines of arbitrary density").
std::vector<std::vector<Point>> hatch(const std::function<bool(Point)>& inside,
                                      const std::function<Point(Point)>& direction, double aspect,
                                      double spacing, gesso::Generator& rng);

}  // namespace draw
