// Cutting the picture into panes: in each region of a design a Voronoi diagram of its own, so that no pane
// crosses the outlines of the design.
#pragma once

#include <functional>
#include <vector>

#include "canvas.h"
#include "gesso/core/generator.h"

namespace draw {

/// How one region is cut.
struct Cut {
  double pane = 0.1;  ///< about the side of a pane, measured after `warp`
  /// Where distances are measured: cells are round after the warp, so a warp that shrinks one direction makes
  /// panes that are long in it.
  std::function<Point(Point)> warp = [](Point p) { return p; };
};

/// One pane of the result.
struct Pane {
  int region;
  Point middle;
};

/// Which pane each fine pixel belongs to.
struct Panes {
  std::vector<Pane> panes;
  std::vector<int> labels;  ///< by rows of the canvas
};

/// Cuts the canvas: `region` gives the region of a point, an index into `cuts`. The sites of the Voronoi
/// diagrams are spread evenly by `relaxations` rounds of Lloyd's algorithm (1982, "Least squares quantization
/// in PCM").
Panes cut_panes(const Canvas& canvas, const std::function<int(Point)>& region, const std::vector<Cut>& cuts,
                gesso::Generator& rng, int relaxations = 6);

}  // namespace draw
