#include "noise.h"

#include <numbers>
#include <numeric>
#include <utility>

namespace draw {

Noise::Noise(gesso::Generator& rng) {
  std::iota(permutation_.begin(), permutation_.begin() + 256, static_cast<unsigned char>(0));
  for (int i = 255; i > 0; --i) {
    std::swap(permutation_[i], permutation_[rng.below(i + 1)]);
  }
  std::copy_n(permutation_.begin(), 256, permutation_.begin() + 256);
}

double Noise::operator()(Point p) const {
  const double x0 = std::floor(p.x), y0 = std::floor(p.y);
  const int i = static_cast<int>(x0) & 255, j = static_cast<int>(y0) & 255;
  const double x = p.x - x0, y = p.y - y0;
  // The slope of corner (di, dj), one of 16 directions, times the way from that corner.
  const auto corner = [&](int di, int dj) {
    static const std::array<Point, 16> slopes = [] {
      std::array<Point, 16> directions;
      for (int k = 0; k < 16; ++k) {
        directions[k] = along(2 * std::numbers::pi * k / 16);
      }
      return directions;
    }();
    const Point slope = slopes[permutation_[permutation_[(i + di) & 255] + ((j + dj) & 255)] & 15];
    return dot(slope, {x - di, y - dj});
  };
  const auto fade = [](double t) { return t * t * t * (t * (t * 6 - 15) + 10); };
  const double u = fade(x), v = fade(y);
  return 1.5 * lerp(lerp(corner(0, 0), corner(1, 0), u), lerp(corner(0, 1), corner(1, 1), u), v);
}

double Noise::layered(Point p, int octaves) const {
  double sum = 0, strength = 1;
  for (int octave = 0; octave < octaves; ++octave) {
    sum += strength * (*this)(p);
    strength /= 2;
    p = rotated(p * 2, 0.6) + Point{17.3, 5.1};  // turned, so that the grids of the octaves do not line up
  }
  return sum;
}

Point Noise::curl(Point p) const {
  constexpr double h = 1e-3;
  const double dx = (*this)({p.x + h, p.y}) - (*this)({p.x - h, p.y});
  const double dy = (*this)({p.x, p.y + h}) - (*this)({p.x, p.y - h});
  return {dy / (2 * h), -dx / (2 * h)};
}

}  // namespace draw
