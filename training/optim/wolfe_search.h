// How far to go along a line. Not for use outside of training/optim: lbfgs.h is the door.
#pragma once

#include <functional>

#include "gesso/core/tensor.h"

namespace gesso {

struct PointOnLine {
  double length;    ///< from the start
  double value;     ///< of the function
  double slope;     ///< along the line
  Tensor gradient;  ///< whole
};

/// A point at which the strong Wolfe conditions hold (Nocedal and Wright 2006, equation 3.7 with c1 = 1e-4 and
/// c2 = 0.9): the function has fallen in proportion to the way, and its slope is flatter. If none is found in 25
/// tries, the lowest. `at` computes a point, `start` is that of length 0, which must slope down; `first` is the length
/// that is tried first, and `scale` the largest change of a number over the length 1: the search ends where all
/// changes are below 1e-9.
PointOnLine wolfe_search(const std::function<PointOnLine(double length)>& at, const PointOnLine& start,
                         double first, double scale);

}  // namespace gesso
