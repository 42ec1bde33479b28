// Learning-rate schedules: pure functions from the step, counted from 0, to a factor of the learning rate.
// They keep no state, so a resumed training needs nothing but its step:
//
//     const WarmupCosine schedule{.warmup = 100, .total = 2000};
//     for (Index step = first_step; step < 2000; ++step) {
//       adam.set_lr(2e-3 * schedule(step));
//       adam.zero_grad();
//       loss_of(net(x)).backward();
//       adam.step();
//     }
//
// A step below 0 counts as step 0. Every schedule throws ArgumentError when called with options out of range.
#pragma once

#include <functional>

#include "gesso/core/index.h"

namespace gesso {

/// Any of those below, or a function of your own.
using Schedule = std::function<double(Index step)>;

/// factor^(step / every), the quotient rounded down: PyTorch's StepLR.
struct StepDecay {
  Index every = 1;      ///< steps from one drop to the next, at least 1
  double factor = 0.1;  ///< what each drop multiplies by, not negative

  double operator()(Index step) const;
};

/// From 1 at step 0 along half a cosine to `floor` at step `total` and after: PyTorch's CosineAnnealingLR
/// with eta_min = floor lr (Loshchilov and Hutter 2017, arXiv 1608.03983, equation 5, one period).
struct Cosine {
  Index total = 1;   ///< at least 1
  double floor = 0;  ///< in [0, 1]

  double operator()(Index step) const;
};

/// (step + 1) / steps, then 1: PyTorch's LinearLR with start_factor = 1 / steps and total_iters = steps - 1.
struct Warmup {
  Index steps = 0;  ///< the first that has the full rate is step steps - 1; at least 0

  double operator()(Index step) const;
};

/// Warmup for `warmup` steps, then Cosine over the total - warmup steps that are left.
struct WarmupCosine {
  Index warmup = 0;
  Index total = 1;  ///< more than warmup
  double floor = 0;

  double operator()(Index step) const;
};

/// `first` for `steps` steps, then `second`, which counts its steps from 0: PyTorch's SequentialLR.
Schedule chain(Schedule first, Index steps, Schedule second);

/// a(step) b(step)
Schedule product(Schedule a, Schedule b);

}  // namespace gesso
