// Flat shapes and curves through points.
#pragma once

#include <functional>
#include <vector>

#include "canvas.h"

namespace draw {

/// Colours every fine pixel whose middle lies in the closed polygon with color(point).
void fill(Canvas& canvas, const std::vector<Point>& polygon, const std::function<Color(Point)>& color);

/// The point at `t`, from 0 at the first knot to 1 at the last, of the smooth curve through at least two
/// knots (Catmull and Rom 1974, "A class of local interpolating splines").
Point spline(const std::vector<Point>& knots, double t);

}  // namespace draw
