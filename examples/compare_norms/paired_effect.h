// What an effect that was measured once a seed says about its mean.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "gesso/core/index.h"

namespace gesso {

/// Student's t distribution with `degrees` >= 1 of freedom: the probability that |T| is at most `t` >= 0
/// (Abramowitz and Stegun 1964, 26.7.3 and 26.7.4).
double student_t_within(double t, Index degrees);

/// The t with student_t_within(t, degrees) = `probability`, which is from 0 to below 1.
double student_t_quantile(double probability, Index degrees);

/// The mean of paired differences, with its interval of 95 % confidence and a test against a threshold.
struct PairedEffect {
  std::vector<double> by_seed;
  double mean = 0;
  double low = 0, high = 0;  ///< the interval; both are the mean for one seed, which has none
  double p = 1;              ///< of the two-sided t test of "the mean is the threshold"; 1 for one seed

  /// Of one or more finite effects.
  PairedEffect(std::vector<double> by_seed, double threshold);
};

/// The most seeds that seeds_to_decide() thinks of.
constexpr std::size_t kMostSeeds = 100;

/// How many seeds would bring p below `level` if the mean and the deviation stayed as they are: from 3 to kMostSeeds, or
/// nothing if no such number does.
std::optional<std::size_t> seeds_to_decide(const PairedEffect& effect, double threshold, double level);

/// Holm's correction (1979): p values of several tests, each made so large that testing all of them against one
/// level errs anywhere with that probability at most. In the order of `p`.
std::vector<double> holm(const std::vector<double>& p);

}  // namespace gesso
