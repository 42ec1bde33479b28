#include "brush.h"

#include "filters.h"

namespace draw {
namespace {

constexpr double kBristle = 0.0022;  // from one bristle to the next

}  // namespace

void Brush::paint(const Sweep& sweep, const std::function<Point(Point)>& flow) {
  const int steps = std::max(2, static_cast<int>(std::ceil(sweep.length / 0.012)));
  const double step = sweep.length / 2 / steps;
  std::vector<Point> curve = follow([&](Point p) { return flow(p) * -1; }, sweep.middle, steps, step);
  std::reverse(curve.begin(), curve.end());
  const std::vector<Point> rest = follow(flow, sweep.middle, steps, step);
  curve.insert(curve.end(), rest.begin() + 1, rest.end());
  paint(sweep, curve);
}

void Brush::paint(const Sweep& sweep, const std::vector<Point>& curve) {
  Stroke stroke{curve, {}};
  double whole = 0;
  for (std::size_t i = 0; i < curve.size(); ++i) {
    whole += i > 0 ? length(curve[i] - curve[i - 1]) : 0;
    const double t = static_cast<double>(i) / static_cast<double>(curve.size() - 1);
    stroke.radius.push_back(sweep.radius * (0.72 + 0.28 * smoothstep(0.0, 0.25, t)) *
                            (1 - 0.35 * smoothstep(0.7, 1.0, t)));
  }
  const double offset = rng_.uniform(0, 250), hue = rng_.uniform(-1, 1) * sweep.broken * 2.5;
  const Color light = vary(sweep.color, sweep.broken, 1.05, hue),
              dark = vary(sweep.color, -sweep.broken, 1.05, -hue);
  const double body = std::min(1.0, sweep.radius / 0.012);  // broad brushes leave more paint
  for (const Touch& touch : cover(canvas_, stroke)) {
    const double across = touch.across * sweep.radius / kBristle;
    // Long streaks along the stroke: where a bristle carried more or less paint.
    const double streak = bristles_({across * 0.8 + offset, touch.along * 9 + offset});
    const double fine = bristles_({across * 1.9 - offset, touch.along * 16});
    const double end = smoothstep(1 - sweep.dry, 1.1, touch.along / whole);
    if (streak + 0.4 * fine < -1.05 + 1.25 * end) {
      continue;  // the bristle has run dry
    }
    canvas_.at(touch.x, touch.y) = over(dark, light, std::clamp(0.5 + 0.75 * streak + 0.25 * fine, 0.0, 1.0));
    const double rim = std::pow(std::abs(static_cast<double>(touch.across)), 5);  // paint is pushed aside
    const double height = body * (0.75 + 0.30 * streak + 0.25 * fine + 0.5 * rim - 0.45 * end);
    float& paint = thickness_.at(touch.x, touch.y);
    paint = static_cast<float>(0.35 * paint + height);
  }
}

void Brush::light() {
  const Field surface = blurred(canvas_, thickness_, 0.0006);
  const int step = std::max(1, static_cast<int>(std::lround(0.0012 * canvas_.scale())));
  canvas_.for_each([&](int x, int y) {
    const int left = std::max(x - step, 0), right = std::min(x + step, canvas_.width() - 1);
    const int up = std::max(y - step, 0), down = std::min(y + step, canvas_.height() - 1);
    const double slope_x = surface.at(right, y) - surface.at(left, y);
    const double slope_y = surface.at(x, down) - surface.at(x, up);
    const double lit =
        std::clamp(0.8 * slope_x + 1.1 * slope_y, -1.0, 1.0);  // rising towards the lower right
    const Color c = canvas_.at(x, y);
    const double shine = std::pow(std::max(0.0, lit), 2.0) * 0.16;
    canvas_.at(x, y) = c * (1 + 0.42 * lit) + Color{1, 0.97, 0.9} * shine;
  });
}

}  // namespace draw
