#include "shapes.h"

namespace draw {

void fill(Canvas& canvas, const std::vector<Point>& polygon, const std::function<Color(Point)>& color) {
  gesso::parallel_for(canvas.height(), 16, [&](gesso::Index begin, gesso::Index end) {
    for (int y = static_cast<int>(begin); y < end; ++y) {
      const double level = canvas.point(0, y).y;
      std::vector<double> crossings;
      for (std::size_t i = 0; i < polygon.size(); ++i) {
        const Point a = polygon[i], b = polygon[(i + 1) % polygon.size()];
        if ((a.y <= level) != (b.y <= level)) {
          crossings.push_back(a.x + (level - a.y) / (b.y - a.y) * (b.x - a.x));
        }
      }
      std::sort(crossings.begin(), crossings.end());
      const auto column = [&](double x) {
        return static_cast<int>(std::clamp(std::ceil(x * canvas.scale() - 0.5), 0.0, 1.0 * canvas.width()));
      };
      for (std::size_t i = 0; i + 1 < crossings.size(); i += 2) {
        for (int x = column(crossings[i]); x < column(crossings[i + 1]); ++x) {
          canvas.at(x, y) = color(canvas.point(x, y));
        }
      }
    }
  });
}

Point spline(const std::vector<Point>& knots, double t) {
  const int last = static_cast<int>(knots.size()) - 1;
  const double place = std::clamp(t, 0.0, 1.0) * last;
  const int i = std::min(static_cast<int>(place), last - 1);
  const double u = place - i;
  const Point b = knots[i], c = knots[i + 1];
  // Beyond the ends the curve goes on as a mirror image.
  const Point a = i > 0 ? knots[i - 1] : b * 2 - c;
  const Point d = i + 2 <= last ? knots[i + 2] : c * 2 - b;
  return (b * 2 + (c - a) * u + (a * 2 - b * 5 + c * 4 - d) * (u * u) +
          (b * 3 - a - c * 3 + d) * (u * u * u)) *
         0.5;
}

}  // namespace draw
