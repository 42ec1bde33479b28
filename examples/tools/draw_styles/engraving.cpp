#include <array>
#include <numbers>

#include "canvas.h"
#include "filters.h"
#include "hatch.h"
#include "noise.h"
#include "stroke.h"
#include "styles.h"

namespace draw {
namespace {

constexpr double kAspect = 4.0 / 3;
constexpr double kSpacing = 0.0125;
constexpr double kShore = 0.635;
constexpr Point kMoon{0.90, 0.235};
constexpr double kMoonRadius = 0.085;

struct Puff {
  Point middle;
  double radius;
};
// A bank of clouds from behind to the front.
constexpr std::array kPuffs{
    Puff{{0.10, 0.235}, 0.085}, Puff{{0.235, 0.165}, 0.095}, Puff{{0.375, 0.215}, 0.085},
    Puff{{0.02, 0.30}, 0.075},  Puff{{0.155, 0.275}, 0.075}, Puff{{0.30, 0.265}, 0.085},
    Puff{{0.46, 0.27}, 0.065},  Puff{{0.225, 0.325}, 0.06},  Puff{{0.385, 0.32}, 0.055},
    Puff{{0.09, 0.345}, 0.06},  Puff{{0.53, 0.315}, 0.04},   Puff{{1.16, 0.10}, 0.045},
    Puff{{1.23, 0.07}, 0.06},   Puff{{1.31, 0.10}, 0.055},   Puff{{1.20, 0.125}, 0.04},
    Puff{{1.10, 0.13}, 0.03}};

// Mountains from behind to the front; each slopes down on both sides of its summit.
struct Mountain {
  Point summit;
  double left, right;  // how steep
};
constexpr std::array kMountains{Mountain{{0.60, 0.33}, 0.75, 0.85}, Mountain{{1.22, 0.30}, 0.80, 0.7},
                                Mountain{{0.30, 0.42}, 0.60, 0.72}, Mountain{{0.98, 0.45}, 0.70, 0.55},
                                Mountain{{0.03, 0.47}, 0.6, 0.55}};

enum Layer { kSky, kMoonDisc, kLake, kBank, kFirstPuff, kFirstMountain = kFirstPuff + kPuffs.size() };

// The scene: what is where, how dark, and which way the lines run.
class Scene {
 public:
  explicit Scene(gesso::Generator& rng) : noise_(rng) {}

  int layer(Point p) const {
    if (p.y > bank_top(p.x)) {
      return kBank;
    }
    if (p.y > kShore) {
      return kLake;
    }
    for (int i = static_cast<int>(kMountains.size()) - 1; i >= 0; --i) {
      if (p.y > kMountains[i].summit.y - 0.1 && p.y > ridge(i, p.x)) {
        return static_cast<int>(kFirstMountain) + i;
      }
    }
    for (int i = static_cast<int>(kPuffs.size()) - 1; i >= 0; --i) {
      const Point d = p - kPuffs[i].middle;
      if (length(d) > 1.2 * kPuffs[i].radius) {
        continue;  // beyond any outline; the exact one takes longer
      }
      // Scalloped like a cauliflower.
      const double outline =
          0.94 + 0.13 * std::abs(std::sin(2.5 * std::atan2(d.y, d.x) + 2.1 * i)) + 0.05 * noise_(p * 20);
      if (length(d) < kPuffs[i].radius * outline) {
        return kFirstPuff + i;
      }
    }
    return length(p - kMoon) < kMoonRadius ? kMoonDisc : kSky;
  }

  /// From 0, bare paper, to 1, as dark as lines can make it.
  double tone(Point p) const {
    const int at = layer(p);
    if (at == kMoonDisc) {
      return 0;
    }
    if (at == kSky) {
      const double r = length(p - kMoon) - kMoonRadius;
      return 0.13 + 0.72 * smoothstep(0.0, 0.6, r) - 0.18 * smoothstep(0.35, 0.6, p.y);
    }
    if (at == kBank) {
      return 1;
    }
    if (at == kLake) {
      return lake_tone(p);
    }
    return at >= static_cast<int>(kFirstMountain) ? rock_tone(at - static_cast<int>(kFirstMountain), p)
                                                  : puff_tone(at - kFirstPuff, p);
  }

  Point direction(Point p) const {
    const int at = layer(p);
    if (at >= static_cast<int>(kFirstMountain)) {
      return rock_direction(at - static_cast<int>(kFirstMountain), p);
    }
    if (at >= kFirstPuff) {
      // Arcs around a point on the lit side, so that the shaded side is modelled round.
      const Puff& puff = kPuffs[at - kFirstPuff];
      const Point d = p - puff.middle - to_moon(puff) * (0.45 * puff.radius);
      return rotated({-d.y, d.x}, 0.35 * noise_(p * 9));
    }
    if (at == kBank) {
      return rotated({1, -0.25}, 0.6 * noise_(p * 5));
    }
    if (at == kLake) {
      return rotated({1, 0}, 0.22 * noise_({p.x * 9, p.y * 26}));
    }
    // Rings around the moon, flatter further out, as if the sky were stirred.
    const Point d = p - kMoon;
    const double flat = lerp(1, 2.6, smoothstep(0.12, 0.8, length(d)));
    return rotated({-d.y * flat, d.x / flat},
                   0.45 * smoothstep(0.1, 0.5, length(d)) * noise_({p.x * 3.4, p.y * 5}));
  }

  double bank_top(double x) const {
    return 0.925 - 0.13 * smoothstep(0.55, 0.0, x) - 0.10 * smoothstep(0.95, 1.33, x) +
           0.012 * noise_({x * 11, 3.5});
  }

 private:
  // Towards the light on a puff of cloud: it comes from the moon and from above.
  static Point to_moon(const Puff& puff) { return unit(unit(kMoon - puff.middle) + Point{0, -0.7}); }

  double ridge(int i, double x) const {
    const Mountain& m = kMountains[i];
    const double d = x - m.summit.x;
    const double slope = (d < 0 ? -d * m.left : d * m.right);
    return m.summit.y + slope +
           0.05 * std::min(1.0, slope * 8) * noise_.layered({x * 9 + 31 * i, i * 7.7}, 3);
  }

  // Rock is folded like a fan that hangs from the summit.
  struct Fold {
    double across;  // -1 .. 1 from the lit to the shaded side of a rib
    double depth;   // below the summit
  };
  Fold fold(int i, Point p) const {
    const Point d = p - kMountains[i].summit;
    const double depth = d.y + 0.10;
    const double crooked = 0.30 * noise_.layered({p.x * 7 + 13 * i, p.y * 8}, 3);
    const double fan = 2.3 * (d.x / depth) + crooked * 2.2 + 0.35;
    return {2 * (fan - std::floor(fan)) - 1, d.y};
  }

  double rock_tone(int i, Point p) const {
    const Fold f = fold(i, p);
    const double lit = i == 1 ? -f.across : f.across;  // each shows its bright side to the moon
    const double far = i < 2 ? 0.10 : 0.0;
    const double face = smoothstep(0.25, -0.1, lit) * 0.66 + 0.12 * noise_.layered(p * 12, 2);
    return std::clamp(0.10 + face - far + 0.25 * smoothstep(0.0, 0.35, f.depth), 0.0, 1.0);
  }

  Point rock_direction(int i, Point p) const {
    const Fold f = fold(i, p);
    const Point d = p - kMountains[i].summit;
    const Point down = unit({d.x, d.y + 0.10});
    return rotated(down, (f.across < 0.1 ? -0.75 : 0.55) + 0.25 * noise_(p * 10));
  }

  double puff_tone(int i, Point p) const {
    const Point d = (p - kPuffs[i].middle) * (1 / kPuffs[i].radius);
    return std::clamp(0.13 - 0.72 * dot(d, to_moon(kPuffs[i])) + 0.14 * noise_(p * 14), 0.0, 0.85);
  }

  double lake_tone(Point p) const {
    // What stands on the shore, mirrored and stirred.
    const Point image{p.x + 0.015 * noise_({p.x * 8, p.y * 40}), 2 * kShore - p.y - 0.02};
    const double fade = 1 - 0.55 * smoothstep(kShore + 0.06, 0.88, p.y);
    const double path = fade * std::exp(-std::pow((p.x - kMoon.x) / (0.05 + 0.16 * (p.y - kShore)), 2));
    const double sparkle = 0.5 + 0.5 * noise_({p.x * 16, p.y * 60});
    const double mirrored = image.y > 0.30 && layer(image) >= static_cast<int>(kFirstMountain) ? 0.70 : 0.38;
    return std::clamp(mirrored + 0.14 * noise_({p.x * 5, p.y * 30}) - path * 1.05 * sparkle, 0.0, 1.0);
  }

  Noise noise_;
};

// One set of lines: laid over all places at least as dark as `from`, turned from the scene's direction.
struct Pass {
  double from;
  double turn;
  double thin, thick;  // the share of the spacing that a line fills at tone `from` and at tone 1
};
constexpr std::array kPasses{Pass{0.10, 0.0, 0.14, 0.68}, Pass{0.52, 0.95, 0.14, 0.50},
                             Pass{0.80, -0.75, 0.16, 0.45}};

class Press {
 public:
  Press(Canvas& canvas, Color ink) : canvas_(canvas), ink_(ink) {}

  void line(const Stroke& stroke) {
    for (const Touch& touch : cover(canvas_, stroke)) {
      canvas_.at(touch.x, touch.y) = ink_;
    }
  }

 private:
  Canvas& canvas_;
  Color ink_;
};

// A swelling line: as thick as the tone under it asks for, pointed at its ends.
Stroke swelling(const std::vector<Point>& points, const Scene& scene, const Noise& hand, const Pass& pass) {
  Stroke stroke{points, {}};
  const double count = static_cast<double>(points.size() - 1);
  for (std::size_t i = 0; i < points.size(); ++i) {
    const double dark = std::clamp((scene.tone(points[i]) - pass.from) / (1 - pass.from), 0.0, 1.0);
    const double end = std::min(static_cast<double>(i), count - static_cast<double>(i)) / 3.0;
    const double unsteady = 1 + 0.18 * hand(points[i] * 40);
    stroke.radius.push_back(kSpacing / 2 * lerp(pass.thin, pass.thick, dark) * unsteady *
                            std::clamp(end, 0.25, 1.0));
  }
  return stroke;
}

// A fir of drooping boughs, each a row of needles.
void fir(Press& press, Point foot, double height, gesso::Generator& rng) {
  press.line({{foot, foot - Point{0, height}}, {height * 0.022, height * 0.003}});
  for (double up = 0.10; up < 1; up += 0.013 + 0.018 * (1 - up)) {
    for (const double side : {-1.0, 1.0}) {
      const double reach = height * (0.05 + 0.21 * std::pow(1 - up, 0.85)) * rng.uniform(0.7, 1.15);
      const Point root = foot - Point{0, height * (up + rng.uniform(-0.01, 0.01))};
      std::vector<Point> bough;
      for (int i = 0; i <= 8; ++i) {
        const double t = i / 8.0;
        bough.push_back(root +
                        Point{side * reach * t, reach * (0.16 * t + 0.42 * t * t - 0.22 * t * t * t * t)});
      }
      press.line({bough, {0.0022, 0.0022, 0.002, 0.002, 0.0018, 0.0016, 0.0014, 0.0012, 0.0008}});
      for (std::size_t i = 1; i < bough.size(); ++i) {
        for (int needle = 0; needle < 2; ++needle) {
          const Point p = bough[i - 1] + (bough[i] - bough[i - 1]) * rng.uniform();
          const double extent = height * rng.uniform(0.018, 0.042);
          const Point tip = p + unit({side * rng.uniform(0.1, 0.9), rng.uniform(0.5, 1.0)}) * extent;
          press.line({{p, p + (tip - p) * 0.6, tip}, {0.0016, 0.0013, 0.0004}});
        }
      }
    }
  }
}

// A blade of grass or reed, bending over.
void reed(Press& press, Point foot, double height, double lean) {
  std::vector<Point> points;
  std::vector<double> radius;
  for (int i = 0; i <= 6; ++i) {
    const double t = i / 6.0;
    points.push_back(foot + Point{lean * t * t, -height * (t - 0.15 * t * t)});
    radius.push_back(0.0022 * (1 - 0.85 * t));
  }
  press.line({points, radius});
}

}  // namespace

gesso::Tensor engraving(int size, gesso::Generator& rng) {
  const Color paper = hex(0xF4E5C3), ink = hex(0x1C1512);
  Canvas canvas(size, kAspect, paper);
  const Scene scene(rng);
  const Noise hand(rng);
  Press press(canvas, ink);

  for (const Pass& pass : kPasses) {
    const auto inside = [&](Point p) { return scene.tone(p) > pass.from; };
    const auto direction = [&](Point p) { return rotated(scene.direction(p), pass.turn); };
    for (const std::vector<Point>& line : hatch(inside, direction, kAspect, kSpacing, rng)) {
      press.line(swelling(line, scene, hand, pass));
    }
  }

  // Outlines, thicker and thinner as if cut by hand.
  const Field outline = distance_to(canvas, [&](int x, int y) {
    const int at = scene.layer(canvas.point(x, y));
    return at != scene.layer(canvas.point(x + 1, y)) || at != scene.layer(canvas.point(x, y + 1));
  });
  canvas.for_each([&](int x, int y) {
    const Point p = canvas.point(x, y);
    if (outline.at(x, y) < 0.0021 * (1 + 0.6 * hand(p * 7))) {
      canvas.at(x, y) = ink;
    }
  });

  for (int i = 0; i < 900; ++i) {
    const double x = rng.uniform(-0.02, kAspect + 0.02);
    const double y = scene.bank_top(x) + std::pow(rng.uniform(), 1.6) * 0.16 - 0.003;
    reed(press, {x, y}, rng.uniform(0.02, 0.06), rng.uniform(-0.03, 0.03));
  }
  struct Tree {
    double x, height;
  };
  constexpr std::array trees{Tree{0.055, 0.56}, Tree{0.185, 0.40}, Tree{0.285, 0.26}, Tree{0.36, 0.17},
                             Tree{1.285, 0.48}, Tree{1.185, 0.30}, Tree{1.11, 0.18}};
  for (const Tree& tree : trees) {
    fir(press, {tree.x, scene.bank_top(tree.x) + 0.02}, tree.height, rng);
  }

  // Handmade paper shows through everywhere; ink lies a little unevenly.
  canvas.for_each([&](int x, int y) {
    const Point p = canvas.point(x, y);
    const double fibre = 0.04 * hand.layered({p.x * 90, p.y * 60}, 3) + 0.05 * hand.layered(p * 3, 2);
    Color& c = canvas.at(x, y);
    const double share = (c.g - ink.g) / (paper.g - ink.g);
    c = over(ink * (1 + 2.5 * std::max(0.0, fibre)),
             mix(paper, hex(0xDDBF8C), std::clamp(0.12 + 2.2 * fibre, 0.0, 1.0)), share);
  });
  return canvas.picture();
}

}  // namespace draw
