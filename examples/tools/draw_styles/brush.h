// A brush loaded with thick paint: strokes show the marks of its bristles, and the paint stands up from the
// canvas, so that it catches the light.
#pragma once

#include <functional>

#include "canvas.h"
#include "noise.h"
#include "stroke.h"

namespace draw {

/// One stroke of the brush.
struct Sweep {
  Point middle;
  double length;
  double radius;
  Color color;
  double broken = 0.06;  ///< how much the colour differs from bristle to bristle, in Oklab lightness
  double dry = 0.5;      ///< the share of the stroke, at its end, where the bristles begin to leave gaps
};

/// Paints on a canvas and remembers how thick the paint lies.
class Brush {
 public:
  Brush(Canvas& canvas, gesso::Generator& rng)
      : canvas_(canvas), thickness_(canvas), rng_(rng), bristles_(rng) {}

  /// Paints along `flow` through the middle of the sweep.
  void paint(const Sweep& sweep, const std::function<Point(Point)>& flow);
  /// Paints along the given curve; `sweep.middle` and `sweep.length` do not count.
  void paint(const Sweep& sweep, const std::vector<Point>& curve);

  /// Shades the dried paint as light from the upper left falls over its ridges.
  void light();

 private:
  Canvas& canvas_;
  Field thickness_;
  gesso::Generator& rng_;
  Noise bristles_;
};

}  // namespace draw
