// Colours in linear light, so that light adds and averages as it does in the world, and Oklab (Björn Ottosson
// 2020, "A perceptual color space for image processing") for mixing and varying them as the eye sees them.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <utility>

namespace draw {

/// Red, green and blue in linear light; 0 is black, 1 the screen's brightest.
struct Color {
  double r = 0, g = 0, b = 0;
};

inline Color operator+(Color a, Color b) { return {a.r + b.r, a.g + b.g, a.b + b.b}; }
inline Color operator*(Color a, Color b) { return {a.r * b.r, a.g * b.g, a.b * b.b}; }
inline Color operator*(Color a, double s) { return {a.r * s, a.g * s, a.b * s}; }

/// b laid over a with the given opacity: light adds up.
inline Color over(Color a, Color b, double opacity) { return a * (1 - opacity) + b * opacity; }

/// The colour written as 0xRRGGBB, as in a stylesheet (sRGB).
Color hex(std::uint32_t rgb);

/// One channel of linear light as the sRGB value in [0, 1] that a picture file holds.
double to_srgb(double linear);

/// From a (t = 0) to b (t = 1) in even steps for the eye.
Color mix(Color a, Color b, double t);

/// The colour at `t` on a scale of colours, given in rising order of their places.
Color ramp(std::initializer_list<std::pair<double, Color>> scale, double t);

/// The colour made lighter by `lightness` (Oklab's scale, 0 to 1), its colourfulness multiplied by `chroma`,
/// and turned by `hue` radians on the colour circle.
Color vary(Color color, double lightness, double chroma = 1, double hue = 0);

}  // namespace draw
