// Normalization one small operation at a time, as a graph: forward, and backward through each node by the
// chain rule alone. What normalize_backward() does in one formula takes eight steps here, and must come to
// the same.
#pragma once

#include <string>
#include <vector>

#include "walk.h"

namespace norm_lab {

struct Stage {
  std::string name;      ///< "d"
  std::string forward;   ///< "x - mu"
  std::string backward;  ///< its gradient from those of later stages: "r dxhat + 2 d dq"
  /// (N, G, C / G, H, W); sizes are 1 in dimensions that share a number.
  gesso::Tensor value, gradient;
};

/// From x and gamma and beta to y, in the order they are computed; the gradients are those that autograd
/// finds when `example.upstream` arrives at y.
std::vector<Stage> stages_of(const gesso::NormalizationLayer& layer, const gesso::NormalizationAxes& axes,
                             const Example& example);

/// The graph of the stages in the DOT language (graph_dot), every node with its numbers and its gradient's.
std::string stages_dot(const gesso::NormalizationLayer& layer, const gesso::NormalizationAxes& axes,
                       const Example& example);

}  // namespace norm_lab
