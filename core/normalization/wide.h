// Statistics at the end of T's range, where x - mean or 1 / std leaves it: x of {3e38, -3e38, -3e38, -3e38} has
// the mean -1.5e38, and 3e38 + 1.5e38 is no float32. Normalization does not see the unit of x: with a power of
// two u, x u has the mean mean u and the std std u, and x-hat is the same, digit for digit. So the planes of such
// statistics are copied in a larger unit, and the kernels work on the copy. Everybody else pays for one look at
// each statistic. Not for use outside of this room.
#pragma once

#include <cmath>
#include <limits>
#include <vector>

#include "gesso/core/normalization/normalization.h"
#include "gesso/core/parallel.h"

namespace gesso::detail {

/// The unit in which T holds x - mean and 1 / std: 1 unless they are near the end of T's range.
template <class T>
double unit_of(double mean, double inv_std) {
  constexpr int largest = std::numeric_limits<T>::max_exponent;  // 2^128, 2^1024
  const double limit = std::ldexp(1.0, largest - 24);
  const bool wide = std::abs(mean) > limit || inv_std < 1 / limit;
  return wide ? std::ldexp(1.0, -largest / 2) : 1;
}

/// Whether a statistic needs another unit.
template <class T>
bool too_wide(const NormalizationAxes& axes, StatisticsIn statistics) {
  for (Index s = 0; s < axes.statistics(); ++s) {
    if (unit_of<T>(statistics.mean[s], statistics.inv_std[s]) != 1) {
      return true;
    }
  }
  return false;
}

/// x and its statistics in units that T holds: those given, or copies where one of them is too wide.
template <class T>
class Narrowed {
 public:
  Narrowed(const NormalizationAxes& axes, const T* x, StatisticsIn statistics)
      : x_(x), statistics_(statistics) {
    if (too_wide<T>(axes, statistics)) {
      copy(axes);
    }
  }
  Narrowed(const Narrowed&) = delete;
  Narrowed& operator=(const Narrowed&) = delete;

  bool copied() const { return !units_.empty(); }
  const T* x() const { return x_; }
  StatisticsIn statistics() const { return statistics_; }

  /// From the gradient by x() to that by the x given: dx u.
  void scale_gradient(const NormalizationAxes& axes, T* dx) const {
    if (copied()) {
      scale_planes(axes, dx, dx);
    }
  }

 private:
  void copy(const NormalizationAxes& axes) {
    const Index count = axes.statistics();
    for (Index s = 0; s < count; ++s) {
      units_.push_back(unit_of<T>(statistics_.mean[s], statistics_.inv_std[s]));
      mean_.push_back(statistics_.mean[s] * units_[s]);
      inv_std_.push_back(statistics_.inv_std[s] / units_[s]);
    }
    copy_.resize(axes.numel());
    scale_planes(axes, x_, copy_.data());
    x_ = copy_.data();
    statistics_ = {mean_.data(), inv_std_.data()};
  }

  void scale_planes(const NormalizationAxes& axes, const T* from, T* to) const {
    parallel_for(axes.planes(), 1, [&](Index plane, Index) {
      const T unit = static_cast<T>(units_[axes.statistic(plane)]);
      for (Index i = plane * axes.inner; i < (plane + 1) * axes.inner; ++i) {
        to[i] = from[i] * unit;
      }
    });
  }

  const T* x_;
  StatisticsIn statistics_;
  std::vector<T> copy_;
  std::vector<double> units_, mean_, inv_std_;
};

}  // namespace gesso::detail
