#include "paired_effect.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

#include "gesso/core/error.h"
#include "tally.h"

namespace gesso {

double student_t_within(double t, Index degrees) {
  require(degrees >= 1, "student_t_within: degrees is ", degrees, "; there must be at least 1");
  const double angle = std::atan(t / std::sqrt(static_cast<double>(degrees)));
  const double cosine = std::cos(angle);
  const bool odd = degrees % 2 == 1;
  // The sum's terms are cos^k times products of k / (k + 1) or (k - 1) / k, up to k = degrees - 2.
  double term = odd ? cosine : 1, sum = degrees == 1 ? 0 : term;
  for (Index k = odd ? 3 : 2; k <= degrees - 2; k += 2) {
    term *= cosine * cosine * static_cast<double>(k - 1) / static_cast<double>(k);
    sum += term;
  }
  return odd ? 2 / std::numbers::pi * (angle + std::sin(angle) * sum) : std::sin(angle) * sum;
}

double student_t_quantile(double probability, Index degrees) {
  require(probability >= 0 && probability < 1, "student_t_quantile: probability is ", probability,
          "; it must be at least 0 and below 1");
  double low = 0, high = 1;
  while (student_t_within(high, degrees) < probability) {
    high *= 2;
  }
  for (int halving = 0; halving < 100; ++halving) {
    const double middle = (low + high) / 2;
    (student_t_within(middle, degrees) < probability ? low : high) = middle;
  }
  return high;
}

PairedEffect::PairedEffect(std::vector<double> effects, double threshold) : by_seed(std::move(effects)) {
  const Spread spread(by_seed);
  mean = low = high = spread.mean;
  const auto count = static_cast<Index>(spread.count);
  if (count < 2) {
    return;
  }
  const double error = spread.deviation / std::sqrt(static_cast<double>(count));
  const double reach = error * student_t_quantile(0.95, count - 1);
  low = mean - reach;
  high = mean + reach;
  const double distance = std::abs(mean - threshold);
  p = distance == 0 ? 1 : error == 0 ? 0 : 1 - student_t_within(distance / error, count - 1);
}

std::optional<std::size_t> seeds_to_decide(const PairedEffect& effect, double threshold, double level) {
  const double deviation = Spread(effect.by_seed).deviation;
  for (std::size_t seeds = 3; seeds <= kMostSeeds; ++seeds) {
    const double error = deviation / std::sqrt(static_cast<double>(seeds));
    if (1 - student_t_within(std::abs(effect.mean - threshold) / error, static_cast<Index>(seeds) - 1) <
        level) {
      return seeds;
    }
  }
  return std::nullopt;
}

std::vector<double> holm(const std::vector<double>& p) {
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
  std::vector<double> adjusted(p.size());
  double largest = 0;  // a larger p is never adjusted to a smaller one
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    const double here = std::min(1.0, static_cast<double>(p.size() - rank) * p[order[rank]]);
    largest = std::max(largest, here);
    adjusted[order[rank]] = largest;
  }
  return adjusted;
}

}  // namespace gesso
