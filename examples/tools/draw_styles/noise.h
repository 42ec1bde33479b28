// Smooth random fields over the plane (Perlin 2002, "Improving noise").
#pragma once

#include <array>

#include "geometry.h"
#include "gesso/core/generator.h"

namespace draw {

/// A random field that changes over distances of about 1.
class Noise {
 public:
  explicit Noise(gesso::Generator& rng);

  /// The field at p: about [-1, 1], 0 on average.
  double operator()(Point p) const;
  /// Noise with detail: `octaves` fields, each half as large and half as strong as the one before.
  double layered(Point p, int octaves) const;
  /// The flow of a fluid whose stream function is the field: it swirls and has no sources or sinks
  /// (Bridson, Hourihan, Nordenstam 2007, "Curl-noise for procedural fluid flow").
  Point curl(Point p) const;

 private:
  std::array<unsigned char, 512> permutation_;
};

}  // namespace draw
