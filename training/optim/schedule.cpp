#include "gesso/training/optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "gesso/core/error.h"

namespace gesso {

double StepDecay::operator()(Index step) const {
  require(every >= 1 && factor >= 0, "StepDecay: every ", every, " must be at least 1 and factor ", factor,
          " not negative");
  const Index decays = std::max<Index>(0, step) / every;
  return std::pow(factor, static_cast<double>(decays));
}

double Cosine::operator()(Index step) const {
  require(total >= 1 && floor >= 0 && floor <= 1, "Cosine: total ", total, " must be at least 1 and floor ",
          floor, " in [0, 1]");
  const double passed = static_cast<double>(std::clamp<Index>(step, 0, total)) / static_cast<double>(total);
  return floor + (1 - floor) * (1 + std::cos(std::numbers::pi * passed)) / 2;
}

double Warmup::operator()(Index step) const {
  require(steps >= 0, "Warmup: steps ", steps, " must not be negative");
  if (step + 1 >= steps) {
    return 1;
  }
  return static_cast<double>(std::max<Index>(0, step) + 1) / static_cast<double>(steps);
}

double WarmupCosine::operator()(Index step) const {
  require(warmup >= 0 && total > warmup, "WarmupCosine: total ", total, " must be more than warmup ", warmup,
          ", which must not be negative");
  return step < warmup ? Warmup{warmup}(step) : Cosine{total - warmup, floor}(step - warmup);
}

Schedule chain(Schedule first, Index steps, Schedule second) {
  require(first && second, "chain: a schedule is empty");
  return [first = std::move(first), steps, second = std::move(second)](Index step) {
    return step < steps ? first(step) : second(step - steps);
  };
}

Schedule product(Schedule a, Schedule b) {
  require(a && b, "product: a schedule is empty");
  return [a = std::move(a), b = std::move(b)](Index step) { return a(step) * b(step); };
}

}  // namespace gesso
