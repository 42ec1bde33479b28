#include <array>
#include <numbers>

#include "canvas.h"
#include "noise.h"
#include "shapes.h"
#include "stroke.h"
#include "styles.h"

namespace draw {
namespace {

constexpr double kAspect = 4.0 / 3;

// The printer's inks.
const Color kPaper = hex(0xF1E3C2), kIndigo = hex(0x0F2347), kPrussian = hex(0x1D4178), kBlue = hex(0x3F78A8),
            kPale = hex(0x9CC2C8), kFoam = hex(0xF6EDD6), kVermilion = hex(0xC8351F), kPeach = hex(0xE9A469);

// A breaking wave of height 1 that falls over to the right; y runs down from its foot at 0.
const std::vector<Point> kBack{{-1.30, 0.10}, {-0.80, -0.22}, {-0.48, -0.64}, {-0.16, -0.95},
                               {0.16, -1.06}, {0.44, -0.95},  {0.60, -0.70}};
const std::vector<Point> kFace{{1.00, 0.10},  {0.40, -0.06}, {0.04, -0.28}, {-0.09, -0.54},
                               {0.02, -0.78}, {0.26, -0.86}, {0.60, -0.70}};

struct Breaker {
  Point foot;
  double height;
  double side;  // 1 breaks to the right, -1 to the left
  double lean;  // stretched sideways by this factor
};

class Print {
 public:
  Print(Canvas& canvas, gesso::Generator& rng) : canvas_(canvas), rng_(rng), noise_(rng) {}

  void pull() {
    sky();
    mountain();
    swell(0.655, 0.012, 3, 0.5);
    breaker({{1.02, 0.76}, 0.22, -1, 1.3});
    swell(0.715, 0.020, 4, 0.7);
    breaker({{0.78, 0.86}, 0.20, 1, 1.5});
    swell(0.785, 0.026, 4, 0.8);
    breaker({{0.36, 1.0}, 0.80, 1, 0.80});
    swell(0.895, 0.034, 5, 1.0);
    breaker({{1.13, 1.06}, 0.36, -1, 1.15});
    swell(0.985, 0.030, 4, 1.1);
    spray();
    paper();
  }

 private:
  void line(const std::vector<Point>& points, const std::vector<double>& radius, Color color) {
    for (const Touch& touch : cover(canvas_, {points, radius})) {
      canvas_.at(touch.x, touch.y) = color;
    }
  }
  void disc(Point middle, double radius, Color color) {
    line({middle, middle + Point{1e-6, 0}}, {radius, radius}, color);
  }
  // A carved line: thin at both ends.
  void carve(const std::vector<Point>& points, double radius, Color color, double sharp = 1) {
    std::vector<double> widths;
    for (std::size_t i = 0; i < points.size(); ++i) {
      const double t = static_cast<double>(i) / static_cast<double>(points.size() - 1);
      widths.push_back(radius * (0.12 + 0.88 * std::pow(std::sin(std::numbers::pi * t), sharp)));
    }
    line(points, widths, color);
  }

  // Ink wiped on the block so that it fades (bokashi): indigo from above, a warm light over the horizon.
  void sky() {
    canvas_.for_each([&](int x, int y) {
      const Point p = canvas_.point(x, y);
      const double wiped = p.y + 0.025 * noise_({p.x * 2.2, p.y * 5});
      canvas_.at(x, y) = ramp({{0.0, hex(0x234C80)},
                               {0.09, hex(0x5D8CA8)},
                               {0.20, hex(0xD6D2B4)},
                               {0.34, kPaper},
                               {0.50, hex(0xF2CF98)},
                               {0.66, kPeach}},
                              wiped);
    });
    const Point sun{0.86, 0.30};
    std::vector<Point> edge;
    for (int i = 0; i < 180; ++i) {
      edge.push_back(sun + along(i * 2 * std::numbers::pi / 180) * 0.150);
    }
    fill(canvas_, edge,
         [&](Point p) { return mix(kVermilion, hex(0xE8703A), smoothstep(-0.05, 0.16, p.y - sun.y)); });
    // Drifting mist in bands with round ends, before and beside the sun.
    struct Band {
      double left, right, y, radius;
    };
    constexpr std::array bands{Band{0.98, 1.40, 0.175, 0.020}, Band{0.90, 1.22, 0.212, 0.020},
                               Band{1.02, 1.40, 0.249, 0.020}, Band{0.66, 0.94, 0.372, 0.016},
                               Band{0.74, 1.06, 0.402, 0.016}, Band{0.62, 0.80, 0.432, 0.016}};
    for (const auto& [grow, color] : {std::pair{0.0035, kPrussian}, std::pair{0.0, kFoam}}) {
      for (const Band& b : bands) {
        line({{b.left, b.y}, {b.right, b.y}}, {b.radius + grow, b.radius + grow}, color);
      }
    }
    for (const Band& b : bands) {
      carve({{b.left + 0.02, b.y + 0.006},
             {(b.left + b.right) / 2, b.y + 0.006},
             {b.right - 0.02, b.y + 0.006}},
            0.0022, kPale);
    }
  }

  void mountain() {
    const Point summit{1.16, 0.455};
    const auto slope = [&](double d) { return 0.50 * std::pow(std::max(0.0, std::abs(d) - 0.018), 0.82); };
    std::vector<Point> outline{{0.70, 0.70}}, snow;
    for (double d = -0.46; d <= 0.30; d += 0.004) {
      outline.push_back({summit.x + d, summit.y + slope(d)});
      if (std::abs(d) < 0.115) {
        snow.push_back(outline.back());
      }
    }
    outline.push_back({1.46, 0.70});
    fill(canvas_, outline, [&](Point p) { return mix(kPrussian, kPale, smoothstep(0.50, 0.66, p.y)); });
    // The snow ends in tongues.
    for (double d = 0.115; d > -0.115; d -= 0.0023) {
      const double tongue = 0.024 + 0.030 * std::abs(std::sin(d * 95)) * (1 - 3 * std::abs(d));
      snow.push_back(
          {summit.x + d * 0.96, summit.y + slope(d) + tongue * (0.25 + 6 * (0.125 - std::abs(d)))});
    }
    fill(canvas_, snow, [](Point) { return kFoam; });
    line(outline, std::vector<double>(outline.size(), 0.0022), kIndigo);
  }

  // A band of open water with `ridges` lines below its upper edge.
  void swell(double level, double high, int ridges, double size) {
    const double phase = rng_.uniform(0, 6), wavelength = rng_.uniform(0.30, 0.42) * (0.6 + 0.5 * size);
    const auto ridge = [&](double x, double below) {
      const double turn = x / wavelength * 2 * std::numbers::pi + phase;
      // Crests are sharper than troughs, as in water (a trochoid, nearly).
      const double crest = 1 - 2 * std::abs(std::sin(turn / 2));
      return Point{x + 0.25 * below * std::sin(turn), level - high * crest * (1 - 2.2 * below) + below +
                                                          high * 0.4 * noise_({x * 4, level * 40})};
    };
    std::vector<Point> edge;
    for (double x = -0.05; x < kAspect + 0.05; x += 0.006) {
      edge.push_back(ridge(x, 0));
    }
    std::vector<Point> water = edge;
    water.push_back({kAspect + 0.05, 1.1});
    water.push_back({-0.05, 1.1});
    fill(canvas_, water,
         [&](Point p) { return mix(kBlue, kPrussian, smoothstep(level, level + 0.13, p.y)); });
    for (int i = 1; i <= ridges; ++i) {
      const double below = i * 0.019 * size + 0.006;
      // Broken into carved strokes of changing colour.
      for (double x = -0.1 + rng_.uniform(0, 0.1); x < kAspect; x += 0.04) {
        const double end = x + rng_.uniform(0.14, 0.34);
        std::vector<Point> stroke;
        for (double at = x; at < end; at += 0.008) {
          stroke.push_back(ridge(at, below));
        }
        const double pick = rng_.uniform();
        carve(stroke, 0.0042 * size * rng_.uniform(0.7, 1.2),
              pick < 0.35  ? kIndigo
              : pick < 0.7 ? kPale
                           : kFoam);
        x = end;
      }
    }
    line(edge, std::vector<double>(edge.size(), 0.0058 * size), kFoam);
    for (Point& p : edge) {
      p.y -= 0.0058 * size;
    }
    line(edge, std::vector<double>(edge.size(), 0.0024), kIndigo);
  }

  void breaker(const Breaker& b) {
    const auto place = [&](Point p) { return b.foot + Point{p.x * b.side * b.lean, p.y} * b.height; };
    const auto between = [&](double s, double t) {
      return place(spline(kBack, t) * (1 - s) + spline(kFace, t) * s);
    };
    constexpr int kSteps = 60;
    std::vector<Point> outline;
    for (int i = 0; i <= kSteps; ++i) {
      outline.push_back(between(0, i / double(kSteps)));
    }
    for (int i = kSteps; i >= 0; --i) {
      outline.push_back(between(1, i / double(kSteps)));
    }
    fill(canvas_, outline, [&](Point p) {
      return mix(kPrussian, kIndigo, smoothstep(b.foot.y - b.height, b.foot.y, p.y) * 0.6);
    });
    // Water drawn up along the wave: bands of blue, pale and foam that taper towards the lip.
    const int bands = b.height > 0.5 ? 15 : 9;
    for (int i = 1; i < bands; ++i) {
      const double s = (i + rng_.uniform(-0.15, 0.15)) / bands;
      const double from = rng_.uniform(0.0, 0.22), to = rng_.uniform(0.80, 0.97);
      std::vector<Point> stroke;
      std::vector<double> radius;
      for (int k = 0; k <= kSteps; ++k) {
        const double t = lerp(from, to, k / double(kSteps)), taper = k / double(kSteps);
        stroke.push_back(between(s, t));
        const double gap = length(between(s + 0.5 / bands, t) - between(s - 0.5 / bands, t));
        radius.push_back(gap * 0.30 *
                         std::pow(std::sin(std::numbers::pi * std::min(1.0, taper * 0.9 + 0.1)), 0.6));
      }
      line(stroke, radius, i % 3 == 0 ? kPale : i % 3 == 1 ? kBlue : kFoam);
    }
    std::vector<Point> face(outline.begin() + kSteps + 1, outline.end());
    line(outline, std::vector<double>(outline.size(), 0.0030), kIndigo);
    foam(b, between);
  }

  // Foam along the lip: round scallops, and claws that reach down and forward. Everything is first laid
  // larger in indigo and then in white, which leaves one outline around all of it.
  void foam(const Breaker& b, const std::function<Point(double, double)>& between) {
    struct Finger {
      std::vector<Point> points;
      std::vector<double> radius;
    };
    std::vector<Finger> fingers;
    std::vector<std::pair<Point, double>> scallops;
    const double h = b.height;
    for (double t = 0.56; t < 1.0; t += 0.016) {
      const double grown = 0.35 + 0.65 * smoothstep(0.52, 0.85, t);
      const double r = h * 0.040 * grown * rng_.uniform(0.75, 1.25);
      scallops.push_back({between(rng_.uniform(-0.04, 0.10), t), r});
      if (t > 0.72) {
        scallops.push_back({between(rng_.uniform(0.0, 1.0), t + 0.03), r * 1.05});
        scallops.push_back({between(rng_.uniform(0.55, 1.0), t), r * 0.9});
      }
    }
    const auto claw = [&](Point root, double angle, double size) {
      // A hook: it sets out at `angle` and bends downwards ever more.
      Finger finger;
      Point p = root;
      const double bend = rng_.uniform(1.3, 2.1);
      for (int k = 0; k <= 14; ++k) {
        const double t = k / 14.0;
        finger.points.push_back(p);
        finger.radius.push_back(size * 0.155 * (1 - 0.86 * t));
        const double turn = angle + bend * t * t;
        p = p + Point{std::cos(turn) * b.side, std::sin(turn)} * (size / 14);
      }
      fingers.push_back(finger);
      scallops.push_back({root, size * 0.21});
    };
    for (double t = 0.70; t <= 1.0; t += 0.030) {
      for (const double s : {0.15, 0.85}) {
        const double outward =
            s < 0.5 ? lerp(-1.0, 0.25, (t - 0.70) / 0.3) : lerp(0.75, 0.35, (t - 0.70) / 0.3);
        const double size = h * rng_.uniform(0.10, 0.17) * (0.6 + 0.5 * (t - 0.70) / 0.3);
        claw(between(s, t), outward + rng_.uniform(-0.25, 0.25), size);
        // A second, smaller claw forks off.
        claw(between(s, t) + Point{b.side * size * 0.25, size * 0.05}, outward + rng_.uniform(0.3, 0.7),
             size * 0.6);
      }
    }
    for (const bool white : {false, true}) {
      const double grow = white ? 0.0 : 0.0016 + 0.0022 * h;
      for (const Finger& finger : fingers) {
        std::vector<double> radius = finger.radius;
        for (double& r : radius) {
          r += grow;
        }
        line(finger.points, radius, white ? kFoam : kIndigo);
      }
      for (const auto& [middle, r] : scallops) {
        disc(middle, r + grow, white ? kFoam : kIndigo);
      }
    }
    // Shadows in the foam.
    for (const auto& [middle, r] : scallops) {
      if (rng_.uniform() < 0.55) {
        std::vector<Point> arc;
        const double turn = rng_.uniform(0.2, 1.2);
        for (int k = 0; k <= 6; ++k) {
          arc.push_back(middle + along(turn + 0.30 * k) * (0.62 * r));
        }
        carve(arc, r * 0.16, rng_.uniform() < 0.75 ? kPale : kBlue);
      }
    }
  }

  // Drops flung from the great wave.
  void spray() {
    for (int i = 0; i < 150; ++i) {
      const Point p{0.70 + rng_.normal() * 0.13, 0.38 + rng_.normal() * 0.085};
      const double r = 0.0016 + 0.0045 * std::pow(rng_.uniform(), 2.5);
      disc(p, r + 0.0012, kPrussian);
      disc(p, r, kFoam);
    }
  }

  // Grain of the cherry wood in the ink, fibres of the paper.
  void paper() {
    canvas_.for_each([&](int x, int y) {
      const Point p = canvas_.point(x, y);
      const double grain = noise_.layered({p.x * 3.5, p.y * 75 + 2.5 * noise_(p * 2.5)}, 2);
      const double fibre = noise_.layered({p.x * 70, p.y * 55}, 3);
      const Color c = canvas_.at(x, y);
      const double ink = 1 - 0.8 * c.r;  // the grain shows where ink lies
      canvas_.at(x, y) = vary(c, (0.028 * grain + 0.020 * fibre) * ink + 0.012 * fibre);
    });
  }

  Canvas& canvas_;
  gesso::Generator& rng_;
  Noise noise_;
};

}  // namespace

gesso::Tensor waves(int size, gesso::Generator& rng) {
  Canvas canvas(size, kAspect);
  Print(canvas, rng).pull();
  return canvas.picture();
}

}  // namespace draw
