#include "stroke.h"

#include <limits>

namespace draw {

std::vector<Touch> cover(const Canvas& canvas, const Stroke& stroke) {
  Point low = stroke.points[0], high = low;
  double widest = 0;
  for (std::size_t i = 0; i < stroke.points.size(); ++i) {
    const Point p = stroke.points[i];
    low = {std::min(low.x, p.x), std::min(low.y, p.y)};
    high = {std::max(high.x, p.x), std::max(high.y, p.y)};
    widest = std::max(widest, stroke.radius[i]);
  }
  const double scale = canvas.scale();
  const auto column = [&](double x) {
    return std::clamp(static_cast<int>(std::floor(x * scale)), 0, canvas.width());
  };
  const auto row = [&](double y) {
    return std::clamp(static_cast<int>(std::floor(y * scale)), 0, canvas.height());
  };
  const int left = column(low.x - widest), right = column(high.x + widest + 1 / scale);
  const int top = row(low.y - widest), bottom = row(high.y + widest + 1 / scale);
  const int width = right - left, height = bottom - top;
  if (width <= 0 || height <= 0) {
    return {};
  }

  // A pixel belongs to the segment it is nearest to, measured in the stroke's radius there.
  constexpr float kNone = std::numeric_limits<float>::infinity();
  struct Nearest {
    float distance = kNone, along = 0, across = 0;
  };
  std::vector<Nearest> nearest(static_cast<std::size_t>(width) * height);
  double travelled = 0;
  for (std::size_t i = 0; i + 1 < stroke.points.size(); ++i) {
    const Point a = stroke.points[i], ab = stroke.points[i + 1] - a;
    const double ra = stroke.radius[i], rb = stroke.radius[i + 1], reach = std::max(ra, rb);
    const double segment = length(ab), inverse = segment > 0 ? 1 / (segment * segment) : 0;
    const int x0 = column(std::min(a.x, a.x + ab.x) - reach),
              x1 = column(std::max(a.x, a.x + ab.x) + reach + 1 / scale);
    const int y0 = row(std::min(a.y, a.y + ab.y) - reach),
              y1 = row(std::max(a.y, a.y + ab.y) + reach + 1 / scale);
    for (int y = y0; y < y1; ++y) {
      for (int x = x0; x < x1; ++x) {
        const Point ap = canvas.point(x, y) - a;
        const double t = std::clamp(dot(ap, ab) * inverse, 0.0, 1.0);
        const double radius = lerp(ra, rb, t);
        const double distance = length(ap - ab * t);
        if (distance >= radius) {
          continue;
        }
        Nearest& best = nearest[static_cast<std::size_t>(y - top) * width + (x - left)];
        const float relative = static_cast<float>(distance / radius);
        if (relative < best.distance) {
          const double side = ab.x * ap.y - ab.y * ap.x;
          best = {relative, static_cast<float>(travelled + t * segment), side < 0 ? -relative : relative};
        }
      }
    }
    travelled += segment;
  }

  std::vector<Touch> touches;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const Nearest& n = nearest[static_cast<std::size_t>(y) * width + x];
      if (n.distance < kNone) {
        touches.push_back({left + x, top + y, n.along, n.across});
      }
    }
  }
  return touches;
}

std::vector<Point> follow(const std::function<Point(Point)>& direction, Point start, int steps, double step) {
  std::vector<Point> points{start};
  Point heading = unit(direction(start));
  for (int i = 0; i < steps; ++i) {
    Point next = unit(direction(points.back()));
    heading = dot(next, heading) < 0 ? next * -1 : next;
    points.push_back(points.back() + heading * step);
  }
  return points;
}

}  // namespace draw
