#include "color.h"

#include <algorithm>
#include <cmath>

namespace draw {
namespace {

struct Oklab {
  double l, a, b;
};

Oklab to_oklab(Color c) {
  const double l = std::cbrt(0.4122214708 * c.r + 0.5363325363 * c.g + 0.0514459929 * c.b);
  const double m = std::cbrt(0.2119034982 * c.r + 0.6806995451 * c.g + 0.1073969566 * c.b);
  const double s = std::cbrt(0.0883024619 * c.r + 0.2817188376 * c.g + 0.6299787005 * c.b);
  return {0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
          1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
          0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s};
}

// Colours that no screen shows are moved to the nearest value of each channel.
Color from_oklab(Oklab c) {
  const double l = c.l + 0.3963377774 * c.a + 0.2158037573 * c.b;
  const double m = c.l - 0.1055613458 * c.a - 0.0638541728 * c.b;
  const double s = c.l - 0.0894841775 * c.a - 1.2914855480 * c.b;
  const double l3 = l * l * l, m3 = m * m * m, s3 = s * s * s;
  return {std::clamp(4.0767416621 * l3 - 3.3077115913 * m3 + 0.2309699292 * s3, 0.0, 1.0),
          std::clamp(-1.2684380046 * l3 + 2.6097574011 * m3 - 0.3413193965 * s3, 0.0, 1.0),
          std::clamp(-0.0041960863 * l3 - 0.7034186147 * m3 + 1.7076147010 * s3, 0.0, 1.0)};
}

double from_srgb(double value) {
  return value <= 0.04045 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4);
}

}  // namespace

Color hex(std::uint32_t rgb) {
  return {from_srgb((rgb >> 16 & 255) / 255.0), from_srgb((rgb >> 8 & 255) / 255.0),
          from_srgb((rgb & 255) / 255.0)};
}

double to_srgb(double linear) {
  const double value = std::clamp(linear, 0.0, 1.0);
  return value <= 0.0031308 ? 12.92 * value : 1.055 * std::pow(value, 1 / 2.4) - 0.055;
}

Color mix(Color a, Color b, double t) {
  const Oklab p = to_oklab(a), q = to_oklab(b);
  return from_oklab({p.l + (q.l - p.l) * t, p.a + (q.a - p.a) * t, p.b + (q.b - p.b) * t});
}

Color ramp(std::initializer_list<std::pair<double, Color>> scale, double t) {
  const auto* last = scale.end() - 1;
  if (t <= scale.begin()->first) {
    return scale.begin()->second;
  }
  for (const auto* low = scale.begin(); low != last; ++low) {
    const auto* high = low + 1;
    if (t < high->first) {
      return mix(low->second, high->second, (t - low->first) / (high->first - low->first));
    }
  }
  return last->second;
}

Color vary(Color color, double lightness, double chroma, double hue) {
  const Oklab c = to_oklab(color);
  const double cosine = std::cos(hue) * chroma, sine = std::sin(hue) * chroma;
  return from_oklab(
      {std::clamp(c.l + lightness, 0.0, 1.0), c.a * cosine - c.b * sine, c.a * sine + c.b * cosine});
}

}  // namespace draw
