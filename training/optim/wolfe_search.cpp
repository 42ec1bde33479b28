#include "gesso/training/optim/wolfe_search.h"

#include <algorithm>
#include <cmath>

namespace gesso {
namespace {

constexpr double kFall = 1e-4, kFlatter = 0.9;  // c1 and c2
constexpr double kLeastChange = 1e-9;
constexpr int kTries = 25;

// Where the cubic through values and slopes of two points is least, within [low, high]; their middle if nowhere
// (Nocedal and Wright, equation 3.59).
double cubic_minimum(const PointOnLine& a, const PointOnLine& b, double low, double high) {
  const double d1 = a.slope + b.slope - 3 * (a.value - b.value) / (a.length - b.length);
  const double square = d1 * d1 - a.slope * b.slope;
  if (!(square >= 0)) {
    return (low + high) / 2;
  }
  const double d2 = std::sqrt(square);
  const auto& [left, right] = a.length <= b.length ? std::tie(a, b) : std::tie(b, a);
  const double least = right.length - (right.length - left.length) *
                                          ((right.slope + d2 - d1) / (right.slope - left.slope + 2 * d2));
  return std::min(std::max(least, low), high);
}

}  // namespace

PointOnLine wolfe_search(const std::function<PointOnLine(double length)>& at, const PointOnLine& start,
                         double first, double scale) {
  const auto too_high = [&](const PointOnLine& p) {
    return p.value > start.value + kFall * p.length * start.slope;
  };
  const auto is_flat = [&](const PointOnLine& p) { return std::fabs(p.slope) <= -kFlatter * start.slope; };

  // Go on until two points have a good one between them (algorithm 3.5).
  PointOnLine before = start, here = at(first), low, high;
  int tries = 0;
  for (; tries < kTries; ++tries) {
    if (!too_high(here) && !(tries > 1 && here.value >= before.value)) {
      if (is_flat(here)) {
        return here;
      }
      if (here.slope < 0) {
        const double next =
            cubic_minimum(before, here, here.length + 0.01 * (here.length - before.length), 10 * here.length);
        before = here;
        here = at(next);
        continue;
      }
    }
    break;
  }
  if (tries == kTries) {
    before = start;
  }
  low = before.value <= here.value ? before : here;
  high = before.value <= here.value ? here : before;

  // Narrow the interval between them (algorithm 3.6).
  bool slow = false;  // whether the last try was close to an end
  for (; tries < kTries; ++tries) {
    const double left = std::min(low.length, high.length), right = std::max(low.length, high.length);
    if ((right - left) * scale < kLeastChange) {
      break;
    }
    double next = cubic_minimum(low, high, left, right);
    const double margin = 0.1 * (right - left);
    if (std::min(right - next, next - left) < margin) {
      if (slow || next >= right || next <= left) {
        next = std::fabs(next - right) < std::fabs(next - left) ? right - margin : left + margin;
        slow = false;
      } else {
        slow = true;
      }
    } else {
      slow = false;
    }
    here = at(next);
    if (too_high(here) || here.value >= low.value) {
      high = here;
      if (high.value < low.value) {
        std::swap(low, high);
      }
      continue;
    }
    if (is_flat(here)) {
      return here;
    }
    if (here.slope * (high.length - low.length) >= 0) {
      high = low;
    }
    low = here;
  }
  return low;
}

}  // namespace gesso
