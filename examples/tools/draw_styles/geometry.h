// Points of the picture plane. All drawing happens in units of the picture's height: y runs from 0 at the top
// to 1 at the bottom, x from 0 at the left to the aspect ratio, so that a picture is the same at every size.
#pragma once

#include <algorithm>
#include <cmath>

namespace draw {

/// A place or a direction.
struct Point {
  double x = 0, y = 0;
};

inline Point operator+(Point a, Point b) { return {a.x + b.x, a.y + b.y}; }
inline Point operator-(Point a, Point b) { return {a.x - b.x, a.y - b.y}; }
inline Point operator*(Point a, double s) { return {a.x * s, a.y * s}; }
inline double dot(Point a, Point b) { return a.x * b.x + a.y * b.y; }
inline double length(Point a) { return std::sqrt(dot(a, a)); }
/// The direction at `angle` radians; as y runs down, angles turn clockwise.
inline Point along(double angle) { return {std::cos(angle), std::sin(angle)}; }
inline Point rotated(Point a, double angle) {
  const Point u = along(angle);
  return {a.x * u.x - a.y * u.y, a.x * u.y + a.y * u.x};
}
/// a with length 1; the null vector becomes (1, 0).
inline Point unit(Point a) {
  const double l = length(a);
  return l > 0 ? a * (1 / l) : Point{1, 0};
}

/// 0 up to `low`, 1 from `high` on, smooth between; falls instead of rises when low > high.
inline double smoothstep(double low, double high, double x) {
  const double t = std::clamp((x - low) / (high - low), 0.0, 1.0);
  return t * t * (3 - 2 * t);
}
inline double lerp(double a, double b, double t) { return a + (b - a) * t; }

}  // namespace draw
