// Strokes: curves with a width, from which pen lines and brush strokes are made.
#pragma once

#include <functional>
#include <vector>

#include "canvas.h"

namespace draw {

/// A curve through `points`, as broad at each as twice its radius. Both lists have the same length, at
/// least 2.
struct Stroke {
  std::vector<Point> points;
  std::vector<double> radius;
};

/// A fine pixel that a stroke covers.
struct Touch {
  int x, y;
  float along;   ///< how far down the stroke, in units of the picture plane
  float across;  ///< from -1 at one side to 1 at the other
};

/// All fine pixels of the canvas that the stroke covers, each once, by rows.
std::vector<Touch> cover(const Canvas& canvas, const Stroke& stroke);

/// The points reached from `start` by going `steps` steps of `step` along a field of directions; a step never
/// turns by more than a right angle, so fields may be given without sense (as hatching is).
std::vector<Point> follow(const std::function<Point(Point)>& direction, Point start, int steps, double step);

}  // namespace draw
