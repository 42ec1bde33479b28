// The statistics of verdicts: Student's t, the interval of paired effects, Holm's correction.
#include "compare_norms/paired_effect.h"

#include <cmath>

#include "gesso/core/error.h"
#include "support.h"

using namespace gesso;

TEST_CASE("Student's t has the quantiles of the tables") {
  // Two-sided, 95 %: Abramowitz and Stegun 1964, table 26.10.
  const std::pair<Index, double> table[] = {{1, 12.706}, {2, 4.303},  {3, 3.182},  {4, 2.776},
                                            {5, 2.571},  {10, 2.228}, {30, 2.042}, {120, 1.980}};
  for (const auto& [degrees, t] : table) {
    CAPTURE(degrees);
    CHECK(student_t_quantile(0.95, degrees) == doctest::Approx(t).epsilon(2e-4));
    CHECK(student_t_within(t, degrees) == doctest::Approx(0.95).epsilon(1e-4));
  }
  CHECK(student_t_quantile(0.99, 4) == doctest::Approx(4.604).epsilon(2e-4));
  CHECK(student_t_quantile(0, 3) == doctest::Approx(0));
  CHECK(student_t_within(0, 5) == 0);
  CHECK(student_t_within(1e9, 2) == doctest::Approx(1));
  CHECK_THROWS_AS(student_t_within(1, 0), ArgumentError);
  CHECK_THROWS_AS(student_t_quantile(1, 3), ArgumentError);
}

TEST_CASE("an effect has a mean, an interval and a p value; one seed has neither interval nor certainty") {
  // By hand: mean 3, deviation sqrt(2.5), error of the mean sqrt(0.5); t = 3 / sqrt(0.5) with 4 degrees.
  const PairedEffect effect({1, 2, 3, 4, 5}, 0);
  CHECK(effect.mean == doctest::Approx(3));
  CHECK(effect.low == doctest::Approx(3 - 2.7764 * std::sqrt(0.5)).epsilon(1e-4));
  CHECK(effect.high == doctest::Approx(3 + 2.7764 * std::sqrt(0.5)).epsilon(1e-4));
  CHECK(effect.p == doctest::Approx(0.01324).epsilon(1e-3));
  CHECK(PairedEffect({1, 2, 3, 4, 5}, 3).p == 1);
  CHECK(PairedEffect({2, 2, 2}, 1).p == 0);
  const PairedEffect one({0.5}, 0);
  CHECK((one.low == 0.5 && one.high == 0.5 && one.p == 1));
}

TEST_CASE("the interval holds the mean as often as it says, and p is below 0.05 as often") {
  Generator rng(11);
  int held = 0, rejected = 0;
  constexpr int kTrials = 4000;
  for (int trial = 0; trial < kTrials; ++trial) {
    const PairedEffect effect(Tensor::randn({4}, rng, DType::float64).to_vector(), 0);
    held += effect.low <= 0 && 0 <= effect.high ? 1 : 0;
    rejected += effect.p < 0.05 ? 1 : 0;
  }
  CHECK(held + rejected == kTrials);
  CHECK(held == doctest::Approx(0.95 * kTrials).epsilon(0.01));
}

TEST_CASE("how many seeds would decide") {
  const PairedEffect effect({1, 2, 3, 4, 5}, 2);  // mean 3, deviation sqrt(2.5)
  const auto seeds = seeds_to_decide(effect, 2, 0.05);
  REQUIRE(seeds);
  // By the definition: so many do, one less does not.
  const auto p = [](std::size_t n) {
    return 1 - student_t_within(std::sqrt(static_cast<double>(n) / 2.5), static_cast<Index>(n) - 1);
  };
  CHECK((p(*seeds) < 0.05 && p(*seeds - 1) >= 0.05));
  CHECK(*seeds == 13);
  CHECK(seeds_to_decide(effect, 0, 0.05) == 4);
  CHECK(!seeds_to_decide(effect, 2.9, 0.05));
}

TEST_CASE("Holm's correction") {
  const std::vector<double> adjusted = holm({0.01, 0.04, 0.03, 0.005});
  CHECK(adjusted[3] == doctest::Approx(0.02));  // 4 x 0.005
  CHECK(adjusted[0] == doctest::Approx(0.03));  // 3 x 0.01
  CHECK(adjusted[2] == doctest::Approx(0.06));  // 2 x 0.03
  CHECK(adjusted[1] == doctest::Approx(0.06));  // not smaller than the one before
  CHECK(holm({0.9, 0.8}) == std::vector<double>{1, 1});
  CHECK(holm({}).empty());
}
