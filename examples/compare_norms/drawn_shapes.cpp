#include "drawn_shapes.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "gesso/core/error.h"
#include "gesso/core/generator.h"

namespace gesso {
namespace {

constexpr Index kSide = 24;  // pixels
constexpr Index kParts = 4;  // of a pixel, each way, that are inside a shape or not
constexpr Index kUnit =
    2 * kParts;  // lengths are in eighths of a pixel, so that the parts' middles are whole numbers
constexpr Index kNoise = 12;           // of 255
constexpr Index kLeastContrast = 120;  // of a shape and its background, summed over the colours
constexpr Index kTurn = 32;            // a turn by 2 atan(t / kTurn), for t up to kMostTurn

constexpr Index kMostTurn = 4;

using Color = std::array<Index, 3>;

// Whether the point (u, v), seen from a shape's middle and turned with it, is in the shape of radius r.
bool disc(Index u, Index v, Index r) { return u * u + v * v <= r * r; }
bool ring(Index u, Index v, Index r) { return disc(u, v, r) && !disc(u, v, r * 5 / 8); }
bool square(Index u, Index v, Index r) { return std::max(std::abs(u), std::abs(v)) <= r * 7 / 8; }
bool frame(Index u, Index v, Index r) { return square(u, v, r) && !square(u, v, r * 9 / 16); }
bool triangle(Index u, Index v, Index r) { return v <= r * 3 / 4 && 7 * std::abs(u) <= 4 * (v + r); }
bool plus(Index u, Index v, Index r) {
  return std::min(std::abs(u), std::abs(v)) <= r / 4 && std::max(std::abs(u), std::abs(v)) <= r;
}
bool cross(Index u, Index v, Index r) {
  return std::min(std::abs(u + v), std::abs(u - v)) <= r * 3 / 8 &&
         std::max(std::abs(u), std::abs(v)) <= r * 3 / 4;
}
bool bars(Index u, Index v, Index r) {
  return std::abs(u) <= r && std::abs(v) >= r / 4 && std::abs(v) <= r * 3 / 4;
}
bool crescent(Index u, Index v, Index r) { return disc(u, v, r) && !disc(u - r / 2, v, r * 3 / 4); }
bool corner(Index u, Index v, Index r) {
  return std::max(std::abs(u), std::abs(v)) <= r * 3 / 4 && (u <= -r / 4 || v >= r / 4);
}

struct Figure {
  const char* name;
  bool (*contains)(Index u, Index v, Index r);
};

constexpr std::array<Figure, 10> kShapes = {{{"disc", disc},
                                             {"ring", ring},
                                             {"square", square},
                                             {"frame", frame},
                                             {"triangle", triangle},
                                             {"plus", plus},
                                             {"cross", cross},
                                             {"bars", bars},
                                             {"crescent", crescent},
                                             {"corner", corner}}};

Index between(Index low, Index high, Generator& rng) { return low + rng.below(high - low + 1); }

Color any_color(Generator& rng) { return {rng.below(256), rng.below(256), rng.below(256)}; }

Index contrast(const Color& a, const Color& b) {
  return std::abs(a[0] - b[0]) + std::abs(a[1] - b[1]) + std::abs(a[2] - b[2]);
}

// One shape where it lies: a rotation by whole numbers keeps lengths but for the factor `length`.
struct Placed {
  const Figure& shape;
  Index x, y, radius, cosine, sine, length;

  bool contains(Index px, Index py) const {
    const Index dx = px - x, dy = py - y;
    return shape.contains(cosine * dx + sine * dy, cosine * dy - sine * dx, radius * length);
  }
};

Placed place(const Figure& shape, Generator& rng) {
  const Index radius = between(7 * kUnit, 9 * kUnit, rng), room = 2 * kUnit;
  const Index x = kSide * kUnit / 2 + between(-room, room, rng),
              y = kSide * kUnit / 2 + between(-room, room, rng);
  const Index t = between(-kMostTurn, kMostTurn, rng);
  return {shape, x, y, radius, kTurn * kTurn - t * t, 2 * kTurn * t, kTurn * kTurn + t * t};
}

// Mixes `color` into the pixels that the shape covers, by how much of each it covers.
void paint(std::vector<Color>& pixels, const Placed& shape, const Color& color) {
  for (Index y = 0; y < kSide; ++y) {
    for (Index x = 0; x < kSide; ++x) {
      Index covered = 0;
      for (Index part = 0; part < kParts * kParts; ++part) {
        covered +=
            shape.contains(x * kUnit + 2 * (part % kParts) + 1, y * kUnit + 2 * (part / kParts) + 1) ? 1 : 0;
      }
      Color& pixel = pixels[static_cast<std::size_t>(y * kSide + x)];
      for (std::size_t c = 0; c < 3; ++c) {
        pixel[c] += (color[c] - pixel[c]) * covered / (kParts * kParts);
      }
    }
  }
}

std::vector<Color> draw(const Figure& shape, Generator& rng) {
  const Color background = any_color(rng);
  Color color = any_color(rng);
  while (contrast(color, background) < kLeastContrast) {
    color = any_color(rng);
  }
  std::vector<Color> pixels(kSide * kSide, background);
  for (int spot = 0; spot < 2; ++spot) {
    // One after the other: compilers evaluate a call's arguments in an order of their own.
    const Index x = between(0, kSide * kUnit, rng);
    const Index y = between(0, kSide * kUnit, rng);
    const Index radius = between(kUnit, 2 * kUnit, rng);
    paint(pixels, {kShapes.front(), x, y, radius, 1, 0, 1}, any_color(rng));
  }
  paint(pixels, place(shape, rng), color);
  for (Color& pixel : pixels) {
    for (Index& value : pixel) {
      value = std::clamp<Index>(value + between(-kNoise, kNoise, rng), 0, 255);
    }
  }
  return pixels;
}

}  // namespace

LabelledPictures draw_shapes(Index count, std::uint64_t seed) {
  require(count > 0, "draw_shapes: count is ", count, "; it must be positive");
  Generator rng(seed);
  LabelledPictures data{.channels = 3, .height = kSide, .width = kSide};
  for (const Figure& shape : kShapes) {
    data.classes.emplace_back(shape.name);
  }
  for (Index i = 0; i < count; ++i) {
    const auto label = static_cast<std::size_t>(i) % kShapes.size();
    const std::vector<Color> pixels = draw(kShapes[label], rng);
    for (std::size_t c = 0; c < 3; ++c) {
      for (const Color& pixel : pixels) {
        data.pixels.push_back(static_cast<std::uint8_t>(pixel[c]));
      }
    }
    data.labels.push_back(static_cast<Index>(label));
  }
  return data;
}

}  // namespace gesso
