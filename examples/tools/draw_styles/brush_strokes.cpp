#include <array>
#include <numbers>

#include "brush.h"
#include "styles.h"

namespace draw {
namespace {

constexpr double kAspect = 4.0 / 3;
constexpr Point kEnd{0.70, 0.57};  // where the avenue meets the evening light

// The light of the evening: from the sun at the end of the avenue to the blue above and around.
Color evening(Point p) {
  const Point d = p - kEnd;
  const double r = std::hypot(d.x, d.y * 1.15);
  return ramp({{0.0, hex(0xFFF2B8)},
               {0.10, hex(0xFFD257)},
               {0.20, hex(0xFB9A2E)},
               {0.34, hex(0xD95A3A)},
               {0.50, hex(0x7E3A78)},
               {0.70, hex(0x2B4390)},
               {0.95, hex(0x122558)}},
              r);
}

// Half the width of the wet road at height y.
double road(double y) { return 0.012 + 0.95 * std::max(0.0, y - kEnd.y); }

// One tree of the avenue: nearness 1 stands in front, small numbers far away.
struct Tree {
  double side;  // -1 left, 1 right
  double near;
};
constexpr std::array kTrees{Tree{-1, 0.16}, Tree{1, 0.18},  Tree{-1, 0.25}, Tree{1, 0.29}, Tree{-1, 0.42},
                            Tree{1, 0.50},  Tree{-1, 0.72}, Tree{1, 0.86},  Tree{-1, 1.18}};
Point foot(const Tree& tree) { return kEnd + Point{tree.side * 0.56, 0.30} * tree.near; }

class Painting {
 public:
  Painting(Canvas& canvas, gesso::Generator& rng) : rng_(rng), noise_(rng), brush_(canvas, rng) {}

  void paint() {
    sky();
    bushes();
    ground();
    for (const Tree& tree : kTrees) {
      trunk(tree);
      crown(tree);
      if (tree.side > 0 && tree.near > 0.2 && tree.near < 0.6) {
        lamp(tree);
      }
    }
    leaves_on_the_ground();
    brush_.light();
  }

 private:
  Color jitter(Color c, double amount) {
    return vary(c, rng_.normal() * 0.045 * amount, rng_.uniform(0.95, 1.2), rng_.normal() * 0.12 * amount);
  }
  Point anywhere() { return {rng_.uniform(-0.03, kAspect + 0.03), rng_.uniform(-0.03, 1.03)}; }

  // In the sky the brush goes around the light, and is carried off by eddies.
  Point sky_flow(Point p) const {
    const Point d = p - kEnd;
    return unit({-d.y, d.x}) + noise_.curl(p * 2.6) * 0.55;
  }
  Point leaf_flow(Point p) const { return noise_.curl(p * 5) + Point{0.15, 0.35}; }

  void sky() {
    for (const double radius : {0.045, 0.024, 0.014}) {
      const int count = static_cast<int>(1.1 * kAspect / (radius * radius * 9));
      for (int i = 0; i < count; ++i) {
        const Point p = anywhere();
        if (p.y < kEnd.y + 0.08) {
          brush_.paint({p, radius * rng_.uniform(5, 8), radius * rng_.uniform(0.75, 1.1),
                        jitter(evening(p), 1.0), 0.06, 0.35},
                       [this](Point q) { return sky_flow(q); });
        }
      }
    }
  }

  // Bushes far away, on both sides of the light.
  void bushes() {
    for (int i = 0; i < 520; ++i) {
      const double side = rng_.uniform() < 0.5 ? -1 : 1;
      const double away = rng_.uniform(0.05, 0.85);
      const Point p{kEnd.x + side * away, kEnd.y + 0.03 - std::abs(rng_.normal()) * (0.02 + 0.05 * away)};
      const Color c = ramp({{0.0, hex(0xE07A2C)},
                            {0.25, hex(0xA23A4A)},
                            {0.5, hex(0x5A2A78)},
                            {0.8, hex(0x23357E)},
                            {1.0, hex(0x1A6A86)}},
                           away + rng_.normal() * 0.16);
      brush_.paint({p, rng_.uniform(0.02, 0.045), rng_.uniform(0.005, 0.010), jitter(c, 1), 0.07, 0.5},
                   [this, side](Point q) {
                     return Point{0.5 * side, -1} + noise_.curl(q * 6) * 0.4;
                   });
    }
  }

  void ground() {
    // Banks on both sides, then the road as a mirror of what is above it.
    for (const double radius : {0.034, 0.017}) {
      const int count = static_cast<int>(0.7 * kAspect / (radius * radius * 9));
      for (int i = 0; i < count; ++i) {
        const Point p{rng_.uniform(-0.03, kAspect + 0.03), kEnd.y + (1.05 - kEnd.y) * rng_.uniform()};
        const double off = std::abs(p.x - kEnd.x) - road(p.y);
        if (off > -0.02) {
          const double warm = 1.1 * std::exp(-4.5 * length(p - kEnd));
          // Shadow, or light from the sun where it is near.
          const Color c =
              rng_.uniform() < warm
                  ? ramp({{0.0, hex(0xA8283C)}, {0.5, hex(0xE8702A)}, {1.0, hex(0xF9B040)}}, rng_.uniform())
                  : ramp({{0.0, hex(0x14235E)},
                          {0.4, hex(0x3B2A86)},
                          {0.7, hex(0x1E5A8C)},
                          {1.0, hex(0x7A2456)}},
                         rng_.uniform());
          const Point slope = unit({p.x - kEnd.x, 0.45 * (p.y - kEnd.y)});
          brush_.paint({p, radius * 5.5, radius * 0.8, jitter(c, 1), 0.07, 0.4},
                       [slope](Point) { return slope; });
        }
      }
    }
    for (int i = 0; i < 2400; ++i) {
      const double y = kEnd.y + (1.04 - kEnd.y) * std::pow(rng_.uniform(), 0.75);
      const double half = road(y);
      const double across = rng_.uniform(-1, 1);
      const Point p{kEnd.x + across * half, y};
      const double depth = (y - kEnd.y) / (1 - kEnd.y);
      const Point image{kEnd.x + 1.25 * (p.x - kEnd.x), kEnd.y - 0.85 * (y - kEnd.y) - 0.02};
      const double streak = noise_({p.x * 11, y * 2.2});
      Color c = vary(evening(image), -0.04 + 0.16 * streak, 1.15);
      if (streak < -0.32) {
        c = jitter(hex(0x1C2456), 1);  // trunks, mirrored
      }
      const bool level = rng_.uniform() < 0.35;
      const double radius = lerp(0.004, 0.015, depth);
      brush_.paint({p, radius * (level ? 6 : 7), radius * rng_.uniform(0.7, 1.1), jitter(c, 1.1), 0.07, 0.5},
                   [level](Point) {
                     return level ? Point{1, 0.03} : Point{0.02, 1};
                   });
    }
    // Light lying on the wet road.
    for (int i = 0; i < 130; ++i) {
      const double depth = std::pow(rng_.uniform(), 1.3);
      const double y = kEnd.y + 0.005 + depth * 0.42;
      const Point p{kEnd.x + rng_.normal() * (0.010 + 0.075 * depth), y};
      const double radius = lerp(0.003, 0.009, depth);
      brush_.paint(
          {p, radius * rng_.uniform(4, 8), radius,
           jitter(mix(hex(0xFFE79A), hex(0xFFAE3C), depth * rng_.uniform(0.4, 1.2)), 0.7), 0.05, 0.6},
          [](Point) {
            return Point{1, 0.02};
          });
    }
  }

  void trunk(const Tree& tree) {
    const Point base = foot(tree);
    const double height = 0.92 * tree.near, width = 0.030 * tree.near;
    const Color dark = mix(hex(0x14122E), evening(base), 0.30 * std::exp(-4 * tree.near));
    const double lean = rng_.uniform(-0.04, 0.04) * tree.near;
    const auto on_axis = [&](double t) {
      return base + Point{lean * t + 0.012 * tree.near * std::sin(7 * t + lean * 90), -height * t};
    };
    const auto limb = [&](Point from, Point to, double radius, Color color) {
      const Point sag = (to - from) * 0.5 + Point{0, 0.10 * length(to - from)};
      brush_.paint({{}, 0, radius, jitter(color, 0.5), 0.05, 0.15}, {from, from + sag, to});
    };
    for (int i = 0; i < 5; ++i) {
      const double t = i * 0.17, shift = rng_.uniform(-0.3, 0.3) * width;
      const double radius = width * (1 - 0.13 * i);
      brush_.paint({{}, 0, radius, jitter(dark, 0.6), 0.05, 0.15},
                   {on_axis(t) + Point{shift, 0}, on_axis(t + 0.11), on_axis(t + 0.24)});
    }
    // The side towards the light, in broken touches.
    for (int i = 0; i < 12; ++i) {
      const double t = rng_.uniform(0.0, 0.66);
      const Point rim{-tree.side * width * (0.70 - 0.5 * t) * rng_.uniform(0.7, 1.05), 0};
      const Color c = rng_.uniform() < 0.3
                          ? hex(0x5A6FD0)
                          : ramp({{0.0, hex(0xB8324A)}, {1.0, hex(0xFA9A38)}}, rng_.uniform());
      brush_.paint({{}, 0, width * rng_.uniform(0.10, 0.20), jitter(c, 1), 0.05, 0.6},
                   {on_axis(t) + rim, on_axis(t + 0.03) + rim, on_axis(t + rng_.uniform(0.04, 0.10)) + rim});
    }
    for (int i = 0; i < 7; ++i) {
      const double t = 0.42 + 0.07 * i, side = i % 2 == 0 ? -1 : 1;
      const double reach = tree.near * rng_.uniform(0.16, 0.30);
      limb(on_axis(t), on_axis(t) + Point{side * reach, -reach * rng_.uniform(0.5, 1.0)}, width * 0.30, dark);
    }
  }

  void crown(const Tree& tree) {
    const Point top = foot(tree) - Point{0, 0.74 * tree.near};
    const Point reach = Point{0.36, 0.30} * tree.near;
    const int count = static_cast<int>(320 + 620 * tree.near);
    for (int i = 0; i < count; ++i) {
      const Point p = top + Point{rng_.normal() * 0.46 * reach.x, rng_.normal() * 0.46 * reach.y};
      // Leaves grow in bunches; each bunch has its colour and lets the sky through around it.
      const double bunch = noise_.layered(p * (3.0 + 2.5 / (0.3 + tree.near)) + Point{31 * tree.near, 0}, 2);
      if (bunch < -0.42) {
        continue;
      }
      const double glow = std::exp(-2.6 * length(p - kEnd));
      const double shade = bunch + 0.35 * rng_.normal() + 0.5 * glow;
      Color c = ramp({{-0.5, hex(0x3A1550)},
                      {-0.2, hex(0x8C1A34)},
                      {0.05, hex(0xD8341F)},
                      {0.35, hex(0xF2761B)},
                      {0.65, hex(0xFBB326)},
                      {1.0, hex(0xFFE46B)}},
                     shade);
      if (rng_.uniform() < 0.07) {
        c = rng_.uniform() < 0.5 ? hex(0x2C6FB0) : hex(0x2FA39A);  // the cool of the sky between warm leaves
      }
      const double radius = (0.0042 + 0.0085 * tree.near) * rng_.uniform(0.6, 1.25);
      brush_.paint({p, radius * rng_.uniform(2.2, 4.2), radius, jitter(c, 1), 0.07, 0.5},
                   [this](Point q) { return leaf_flow(q); });
    }
  }

  void lamp(const Tree& tree) {
    const Point base = foot(tree) - Point{0.11 * tree.near, 0};
    const Point head = base - Point{0, 0.46 * tree.near};
    const double size = 0.030 * tree.near;
    brush_.paint({{}, 0, size * 0.20, hex(0x120F26), 0.03, 0.05}, {base, (base + head) * 0.5, head});
    for (int i = 0; i < 46; ++i) {
      const double r = size * (0.3 + 3.4 * i / 46.0), angle = rng_.uniform(0, 2 * std::numbers::pi);
      const Point p = head + along(angle) * r;
      const Color c =
          ramp({{0.0, hex(0xFFFBE0)}, {0.4, hex(0xFFDC6A)}, {1.0, hex(0xF79A34)}}, r / (3.7 * size));
      const double radius = std::max(0.003, size * 0.30);
      brush_.paint({p, radius * 3.5, radius, jitter(c, 0.6), 0.04, 0.6},
                   [angle](Point) { return along(angle + std::numbers::pi / 2); });
    }
    brush_.paint({head, size * 1.1, size * 0.62, hex(0xFFFDEB), 0.02, 0.1}, [](Point) {
      return Point{0, 1};
    });
  }

  void leaves_on_the_ground() {
    for (int i = 0; i < 1500; ++i) {
      const double depth = std::pow(rng_.uniform(), 0.7);
      const double y = kEnd.y + 0.03 + depth * 0.42;
      const double side = rng_.uniform() < 0.5 ? -1 : 1;
      const double x = kEnd.x + side * (road(y) * 0.95 + std::abs(rng_.normal()) * 0.26 * (0.15 + depth));
      const double patch = noise_({x * 5, y * 9}) + 0.5 * rng_.normal();
      const Color c = ramp(
          {{-0.6, hex(0x5A1A48)}, {-0.1, hex(0xB8271F)}, {0.3, hex(0xEC6A1C)}, {0.8, hex(0xFFC43A)}}, patch);
      const double radius = lerp(0.0028, 0.0095, depth) * rng_.uniform(0.7, 1.2);
      brush_.paint({{x, y}, radius * rng_.uniform(2.5, 5), radius, jitter(c, 1), 0.06, 0.5},
                   [this, side](Point q) {
                     return Point{1, 0.18 * side} + noise_.curl(q * 6) * 0.25;
                   });
    }
  }

  gesso::Generator& rng_;
  Noise noise_;
  Brush brush_;
};

}  // namespace

gesso::Tensor brush_strokes(int size, gesso::Generator& rng) {
  Canvas canvas(size, kAspect, hex(0x3A2440));
  Painting(canvas, rng).paint();
  return canvas.picture();
}

}  // namespace draw
