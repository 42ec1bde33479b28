// Learning-rate schedules: where they begin, turn and end, and how they combine.
#include "gesso/training/optim/schedule.h"

#include "gesso/core/error.h"
#include "gesso/core/files/safetensors.h"
#include "paths.h"
#include "support.h"

using namespace gesso;

// tests/golden/make_optimizers.py wrote the values.
TEST_CASE("schedules give PyTorch's factors") {
  const SafetensorsReader golden(gesso::testing::source_path("tests/golden/optimizers.safetensors"));
  const std::pair<const char*, Schedule> schedules[] = {
      {"schedule.step", StepDecay{.every = 3, .factor = 0.5}},
      {"schedule.cosine", Cosine{.total = 9, .floor = 0.05}},
      {"schedule.warmup", Warmup{.steps = 4}},
      {"schedule.warmup_cosine", WarmupCosine{.warmup = 4, .total = 13, .floor = 0.05}},
  };
  for (const auto& [name, schedule] : schedules) {
    const std::vector<double> expected = golden.load(name).to_vector();
    for (std::size_t step = 0; step < expected.size(); ++step) {
      CAPTURE(name);
      CAPTURE(step);
      CHECK(schedule(static_cast<Index>(step)) == doctest::Approx(expected[step]).epsilon(1e-14));
    }
  }
}

TEST_CASE("StepDecay drops after each `every` steps") {
  const StepDecay decay{.every = 10, .factor = 0.5};
  CHECK(decay(-3) == 1);
  CHECK(decay(-10) == 1);
  CHECK(decay(-1000) == 1);
  CHECK(decay(0) == 1);
  CHECK(decay(9) == 1);
  CHECK(decay(10) == 0.5);
  CHECK(decay(29) == 0.25);
}

TEST_CASE("Cosine falls from 1 to its floor and stays there") {
  const Cosine cosine{.total = 100, .floor = 0.2};
  CHECK(cosine(-1) == 1);
  CHECK(cosine(0) == 1);
  CHECK(cosine(50) == doctest::Approx(0.6));
  CHECK(cosine(100) == doctest::Approx(0.2));
  CHECK(cosine(1000) == cosine(100));
}

TEST_CASE("Warmup rises to 1 and stays; without steps it is 1") {
  CHECK(Warmup{4}(-1) == 0.25);
  CHECK(Warmup{4}(0) == 0.25);
  CHECK(Warmup{4}(2) == 0.75);
  CHECK(Warmup{4}(3) == 1);
  CHECK(Warmup{4}(4000) == 1);
  CHECK(Warmup{}(0) == 1);
}

TEST_CASE("WarmupCosine is a Warmup, then a Cosine") {
  const WarmupCosine both{.warmup = 10, .total = 110, .floor = 0.1};
  const Schedule chained = chain(Warmup{10}, 10, Cosine{100, 0.1});
  for (Index step : {0, 5, 9, 10, 11, 60, 109, 110, 500}) {
    CHECK(both(step) == chained(step));
  }
  CHECK(both(10) == 1);
  CHECK(both(110) == doctest::Approx(0.1));
  // the second schedule begins at step 10, with its own step 0
  const auto itself = [](Index step) { return static_cast<double>(step); };
  const Schedule hundreds = chain(itself, 10, [](Index step) { return 100.0 + static_cast<double>(step); });
  CHECK(hundreds(9) == 9);
  CHECK(hundreds(10) == 100);
  CHECK(hundreds(12) == 102);
  CHECK(chain(itself, 0, [](Index) { return 7.0; })(0) == 7);
  CHECK(product(StepDecay{5, 0.5}, Warmup{4})(2) == 0.75);
  CHECK(product(StepDecay{5, 0.5}, Warmup{4})(5) == 0.5);
}

TEST_CASE("options out of range are named") {
  CHECK_THROWS_WITH_AS((StepDecay{0}(1)), doctest::Contains("StepDecay: every 0"), ArgumentError);
  CHECK_THROWS_WITH_AS((Cosine{0}(1)), doctest::Contains("Cosine: total 0"), ArgumentError);
  CHECK_THROWS_WITH_AS((Cosine{5, 2}(1)), doctest::Contains("floor 2"), ArgumentError);
  CHECK_THROWS_WITH_AS((Warmup{-1}(1)), doctest::Contains("Warmup: steps -1"), ArgumentError);
  CHECK_THROWS_WITH_AS((WarmupCosine{10, 10}(1)), doctest::Contains("total 10 must be more than warmup 10"),
                       ArgumentError);
  CHECK_THROWS_AS(chain(nullptr, 1, Warmup{}), ArgumentError);
  CHECK_THROWS_AS(product(Warmup{}, nullptr), ArgumentError);
}
