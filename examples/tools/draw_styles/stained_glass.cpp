#include <array>
#include <numbers>

#include "canvas.h"
#include "filters.h"
#include "noise.h"
#include "panes.h"
#include "styles.h"

namespace draw {
namespace {

constexpr double kAspect = 4.0 / 3;
constexpr Point kSun{0.82, 0.36};

// The design, from the back to the front.
enum Region { kSky, kHalo, kCorona, kDisc, kFarHills, kHills, kNearHills, kRiver, kBank, kBlade, kPetals };

// A flower: a ring of outer petals, one of inner petals between them, and a heart. Each is a region of its
// own.
struct Flower {
  Point middle;
  double radius;
  double turn;
};
constexpr int kRing = 5;           // petals in a ring
constexpr int kHeart = 2 * kRing;  // the number of the heart, after those of all petals
constexpr int kFlowerParts = kHeart + 1;
constexpr std::array kFlowers{Flower{{0.20, 0.70}, 0.125, 0.2}, Flower{{0.445, 0.83}, 0.105, 0.9},
                              Flower{{0.075, 0.90}, 0.085, 0.5}, Flower{{1.225, 0.79}, 0.105, 0.1},
                              Flower{{1.06, 0.915}, 0.075, 0.7}};

// A leaf like a sword, from its foot to its tip.
struct Blade {
  Point foot, tip;
  double bend;
};
constexpr std::array kBlades{
    Blade{{0.16, 1.05}, {0.30, 0.52}, 0.05},  Blade{{0.25, 1.05}, {0.40, 0.60}, 0.06},
    Blade{{0.10, 1.05}, {0.03, 0.56}, -0.03}, Blade{{0.40, 1.05}, {0.58, 0.66}, 0.05},
    Blade{{1.17, 1.05}, {1.10, 0.64}, -0.03}, Blade{{1.26, 1.05}, {1.30, 0.58}, 0.03},
    Blade{{1.02, 1.05}, {0.95, 0.78}, -0.02}};

constexpr std::array kPeaks{Point{0.06, 0.33}, Point{0.30, 0.39}, Point{0.50, 0.45}, Point{1.10, 0.44},
                            Point{1.29, 0.33}};

bool on_blade(const Blade& blade, Point p) {
  const Point axis = blade.tip - blade.foot;
  const double t = dot(p - blade.foot, axis) / dot(axis, axis);
  if (t < 0 || t > 1) {
    return false;
  }
  const Point normal = unit({-axis.y, axis.x});
  const double off = dot(p - blade.foot, normal) - blade.bend * std::sin(std::numbers::pi * t);
  return std::abs(off) < 0.034 * std::pow(1 - t, 0.35) * (0.55 + 0.45 * t);
}

// The part of the flower at p: an outer petal, an inner petal, the heart; or -1.
int part_at(const Flower& flower, Point p) {
  const Point d = (p - flower.middle) * (1 / flower.radius);
  const double r = length(d);
  const double sectors = (std::atan2(d.y, d.x) - flower.turn) * kRing / (2 * std::numbers::pi);
  // How far out the petals of a ring reach in this direction, as a share of their greatest length.
  const auto reach = [&](double shift) {
    const double off = sectors + shift - std::round(sectors + shift);
    return 0.70 + 0.30 * std::sqrt(std::cos(off * std::numbers::pi));
  };
  const auto petal = [&](double shift) {
    return (static_cast<int>(std::round(sectors + shift)) % kRing + kRing) % kRing;
  };
  if (r < 0.22) {
    return kHeart;
  }
  if (r < 0.60 * reach(0.5)) {
    return kRing + petal(0.5);
  }
  return r < reach(0) ? petal(0) : -1;
}

int region_at(Point p) {
  for (std::size_t i = 0; i < kFlowers.size(); ++i) {
    const int part = part_at(kFlowers[i], p);
    if (part >= 0) {
      return kPetals + static_cast<int>(i) * kFlowerParts + part;
    }
  }
  for (const Blade& blade : kBlades) {
    if (on_blade(blade, p)) {
      return kBlade;
    }
  }
  const double bank = 0.87 + 0.05 * std::sin(4.2 * p.x + 0.6) + 0.20 * std::pow(std::abs(p.x - 0.72), 2.2);
  const double bank_top = 1.74 - bank;  // higher towards both sides
  if (p.y > bank_top) {
    return kBank;
  }
  // The river winds from the horizon under the sun down to the front, growing wider.
  const double depth = (p.y - 0.545) / 0.455;
  if (depth > 0) {
    const double middle = kSun.x - 0.02 + 0.20 * std::sin(5.2 * std::sqrt(depth)) * depth;
    const double half = 0.02 + 0.30 * depth * depth + 0.09 * depth;
    if (std::abs(p.x - middle) < half) {
      return kRiver;
    }
  }
  if (p.y > 0.70 + 0.035 * std::sin(3.4 * p.x + 2.9)) {
    return kNearHills;
  }
  if (p.y > 0.60 + 0.03 * std::sin(4.0 * p.x - 0.4)) {
    return kHills;
  }
  double ridge = 0.555;
  for (const Point peak : kPeaks) {
    ridge = std::min(ridge, peak.y + 1.05 * std::pow(std::abs(p.x - peak.x), 1.15));
  }
  if (p.y > ridge) {
    return kFarHills;
  }
  const double r = length(p - kSun);
  return r < 0.095 ? kDisc : r < 0.165 ? kCorona : r < 0.26 ? kHalo : kSky;
}

// Panes around the sun that are `stretch` times as long outwards as across.
std::function<Point(Point)> around_sun(double stretch) {
  return [stretch](Point p) {
    const Point d = p - kSun;
    // The cut of the angle points down, where the hills hide it.
    return Point{std::log(length(d) + 1e-3) / stretch, std::atan2(d.x, -d.y)};
  };
}

std::vector<Cut> cuts() {
  std::vector<Cut> result(kPetals + kFlowers.size() * kFlowerParts, {.pane = 1});
  result[kSky] = {.pane = 0.185, .warp = around_sun(2.4)};
  result[kHalo] = {.pane = 0.27, .warp = around_sun(4.0)};
  result[kCorona] = {.pane = 0.36, .warp = around_sun(6.0)};
  result[kDisc] = {.pane = 0.075};
  result[kFarHills] = {.pane = 0.068, .warp = [](Point p) { return Point{p.x * 1.15, p.y * 0.75}; }};
  result[kHills] = {.pane = 0.062, .warp = [](Point p) { return Point{p.x * 0.55, p.y}; }};
  result[kNearHills] = {.pane = 0.075, .warp = [](Point p) { return Point{p.x * 0.6, p.y}; }};
  result[kRiver] = {.pane = 0.021, .warp = [](Point p) { return Point{p.x * 0.30, p.y / (0.5 + p.y)}; }};
  result[kBank] = {.pane = 0.062};
  result[kBlade] = {.pane = 0.09, .warp = [](Point p) { return Point{p.x, p.y * 0.75}; }};
  return result;
}

// The colour of the glass of one pane.
Color glass(const Pane& pane, gesso::Generator& rng) {
  const Point p = pane.middle;
  const double r = length(p - kSun);
  Color color;
  switch (pane.region) {
    case kDisc:
      color = hex(0xFFF3B0);
      break;
    case kCorona:
      color = rng.uniform() < 0.5 ? hex(0xFFC21A) : hex(0xFF9A0F);
      break;
    case kHalo:
      color = rng.uniform() < 0.5 ? hex(0xFF7A12) : hex(0xF2501E);
      break;
    case kSky:
      color = ramp({{0.24, hex(0xE8372C)},
                    {0.40, hex(0xC41F6B)},
                    {0.56, hex(0x6A2BA8)},
                    {0.75, hex(0x2440B8)},
                    {1.0, hex(0x0B2A80)}},
                   r + rng.uniform(-0.07, 0.07));
      break;
    case kFarHills:
      color = ramp({{0.0, hex(0x221870)}, {0.4, hex(0x2A55B8)}, {0.7, hex(0x1C86B8)}, {1.0, hex(0x7A58C8)}},
                   rng.uniform());
      break;
    case kHills:
      color = ramp({{0.0, hex(0x0E7C6B)}, {0.6, hex(0x1FA05A)}, {1.0, hex(0x7DB52C)}}, rng.uniform());
      break;
    case kNearHills:
      color = ramp({{0.0, hex(0x0B5E2E)}, {0.6, hex(0x2E8B2A)}, {1.0, hex(0xA5B820)}}, rng.uniform());
      break;
    case kRiver: {
      const bool glitter = std::abs(p.x - kSun.x) < rng.uniform(0.0, 0.12);
      color = glitter
                  ? hex(0xFFC23C)
                  : ramp({{0.0, hex(0x0A4FB0)}, {0.5, hex(0x129AD0)}, {1.0, hex(0x5CD8E0)}}, rng.uniform());
      break;
    }
    case kBank:
      color = ramp({{0.0, hex(0x064A3A)}, {0.5, hex(0x0F6E46)}, {1.0, hex(0x3F8F2C)}}, rng.uniform());
      break;
    case kBlade:
      color = ramp({{0.0, hex(0x3E9B35)}, {1.0, hex(0x9CCB3B)}}, rng.uniform());
      break;
    default: {
      const int part = (pane.region - kPetals) % kFlowerParts;
      color = part == kHeart ? hex(0xFFC928)
              : part >= kRing
                  ? ramp({{0.0, hex(0x8E0A2E)}, {1.0, hex(0xB30E2A)}}, rng.uniform())
                  : ramp({{0.0, hex(0xD9141F)}, {0.6, hex(0xEE2E28)}, {1.0, hex(0xFF6A3C)}}, rng.uniform());
    }
  }
  return vary(color, rng.uniform(-0.05, 0.05), rng.uniform(0.95, 1.1), rng.uniform(-0.08, 0.08));
}

}  // namespace

gesso::Tensor stained_glass(int size, gesso::Generator& rng) {
  Canvas canvas(size, kAspect);
  const Noise noise(rng);
  const Panes panes = cut_panes(canvas, region_at, cuts(), rng);
  struct Glass {
    Color color;
    Point streak;    // direction of the streaks in the glass
    Point gradient;  // towards the lighter side
    double offset;   // which part of the noise it shows
  };
  std::vector<Glass> glasses;
  for (const Pane& pane : panes.panes) {
    const Color color = glass(pane, rng);
    const double angle = rng.uniform(0, 2 * std::numbers::pi);
    glasses.push_back({color, along(rng.uniform(0, std::numbers::pi)), along(angle), rng.uniform(0, 200)});
  }

  // Lead lies along every seam between panes; thicker along the outlines of the design.
  const int width = canvas.width();
  const auto label = [&](int x, int y) { return panes.labels[static_cast<std::size_t>(y) * width + x]; };
  const auto seam = [&](bool outline) {
    return distance_to(canvas, [&, outline](int x, int y) {
      const auto differs = [&](int i, int j) {
        const int a = label(x, y), b = label(i, j);
        return a != b && (!outline || panes.panes[a].region != panes.panes[b].region);
      };
      return (x + 1 < width && differs(x + 1, y)) || (y + 1 < canvas.height() && differs(x, y + 1));
    });
  };
  const Field any_seam = seam(false), outline = seam(true);
  // How deep in the glass (positive) or lead (negative) a pixel lies.
  const auto depth = [&](int x, int y) {
    const double wobble = 1 + 0.25 * noise(canvas.point(x, y) * 14);
    return std::min(any_seam.at(x, y) - 0.0038 * wobble, outline.at(x, y) - 0.0056 * wobble);
  };
  // Glass has rounded corners: it is where a disc of radius kCorner fits in.
  constexpr double kCorner = 0.0042;
  const Field core = distance_to(canvas, [&](int x, int y) { return depth(x, y) > kCorner; });

  Field light(canvas);  // what shines through, for the glow
  canvas.for_each([&](int x, int y) {
    const Point p = canvas.point(x, y);
    const double lead = core.at(x, y) - kCorner;
    if (lead > 0) {
      // Rounded, dull metal: a soft highlight along its back.
      const double back = smoothstep(0.001, 0.006, lead);
      const double tarnish = 0.5 + 0.5 * noise(p * 60);
      canvas.at(x, y) = mix(hex(0x0C0A0C), hex(0x4A4540), back * back * 0.8 * tarnish);
      return;
    }
    const int index = label(x, y);
    const Glass& g = glasses[index];
    const Point q = p - panes.panes[index].middle;
    const double streaks =
        noise.layered(Point{dot(p, g.streak) * 9 + g.offset, dot(p, {-g.streak.y, g.streak.x}) * 34}, 3);
    const double ripple = noise(p * 120 + Point{g.offset, 0});
    const double edge = smoothstep(0.0, 0.018, any_seam.at(x, y) - 0.004);
    const double sun = std::exp(-2.2 * length(p - kSun));
    const double tone =
        -0.13 * (1 - edge) + 0.085 * streaks + 0.022 * ripple + 1.1 * dot(q, g.gradient) + 0.10 * sun - 0.02;
    canvas.at(x, y) = vary(g.color, tone, 1.08 - 0.35 * std::max(tone, 0.0), 0.10 * streaks);
    const Color c = canvas.at(x, y);
    light.at(x, y) = static_cast<float>(std::max({c.r, c.g, c.b}));
  });

  // Bright light spills over the leads beside it.
  const Field glow = blurred(canvas, light, 0.012);
  canvas.for_each([&](int x, int y) {
    const Point p = canvas.point(x, y);
    const double sun = std::exp(-3.5 * length(p - kSun));
    canvas.at(x, y) = canvas.at(x, y) + hex(0xFFC070) * (glow.at(x, y) * (0.02 + 0.22 * sun));
  });
  return canvas.picture();
}

}  // namespace draw
