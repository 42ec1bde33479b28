// A loss along its gradient: probes of functions whose answers are known, and of a training.
#include "compare_norms/gradient_probe.h"

#include <cmath>

#include "compare_norms/experiments/experiment.h"
#include "compare_norms/experiments/over_seeds.h"
#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/reduce.h"
#include "gesso/core/error.h"
#include "gesso/training/picture_folder.h"
#include "paths.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

const ClassificationTask& task() {
  static const ClassificationTask photographs = [] {
    std::vector<std::string> files = pictures_in(source_path("examples/assets/photos"));
    files.resize(3);
    return make_classification_task(files);
  }();
  return photographs;
}

ExperimentResults results_of(const char* experiment, const std::vector<const char*>& trainings, Index steps) {
  const Experiment& grid = *experiments_named({experiment}).front();
  const ExperimentSettings settings{.seeds = 1, .steps = steps};
  ExperimentResults results;
  for (const char* training : trainings) {
    const auto trained = grid.train(training, settings, task(), [](Index) { return true; });
    REQUIRE(trained);
    grid.add(*trained, settings, results);
  }
  return results;
}

struct Named {
  struct {
    std::string normalization;
  } network;
  double value;
};

}  // namespace

TEST_CASE("along the gradient of a quadratic, everything is known") {
  // L = (3 x^2 + y^2 + z^2) / 2 at (1, 0, 0), with y and z in a tensor of their own: g = (3, 0, 0).
  Tensor x = Tensor::from({1}, float64), yz = Tensor::from({0, 0}, float64),
         unused = Tensor::ones({2}, float64);
  for (Tensor* each : {&x, &yz, &unused}) {
    each->requires_grad_();
  }
  const auto loss = [&] { return (sum(square(x)) * 3 + sum(square(yz))) * 0.5; };
  const GradientProbe probe = probe_gradient({x, yz, unused}, loss, {0.1, 0.5});
  CHECK(probe.loss == doctest::Approx(1.5));
  CHECK(probe.gradient_norm == doctest::Approx(3));
  // After steps of 0.1 and 0.5, x is 0.7 and -0.5.
  CHECK(probe.highest == doctest::Approx(1.5 * 0.49));
  CHECK(probe.lowest == doctest::Approx(1.5 * 0.25));
  CHECK(probe.gradient_change == doctest::Approx(0.5 * 3));  // of 3 x: from 3 to -1.5, by 4.5, of 3
  CHECK(probe.smoothness == doctest::Approx(3));             // the second derivative, whatever the step
  CHECK((x.item() == 1 && yz(0) == 0 && !x.grad().defined()));

  // Along both: at (0.2, 1, 0), g = (0.6, 1, 0), and the largest step counts.
  x.detach().fill_(0.2);
  yz.detach().copy_(Tensor::from({1, 0}, float64));
  const GradientProbe both = probe_gradient({x, yz}, loss, {1e-3, 0.25});
  CHECK(both.smoothness == doctest::Approx(std::hypot(3 * 0.6, 1) / std::hypot(0.6, 1)));
  CHECK(both.gradient_change == doctest::Approx(0.25 * both.smoothness));
}

TEST_CASE("a probe without parameters, or with an impossible step, is refused") {
  Tensor x = Tensor::from({1}, float64);
  x.requires_grad_();
  const auto loss = [&] { return sum(square(x)); };
  CHECK_THROWS_WITH_AS(probe_gradient({}, loss, {0.1}), doctest::Contains("0 parameters"), ArgumentError);
  CHECK_THROWS_WITH_AS(probe_gradient({x}, loss, {}), doctest::Contains("0 step sizes"), ArgumentError);
  CHECK_THROWS_WITH_AS(probe_gradient({x}, loss, {0.1, 0}), doctest::Contains("a step size is 0"),
                       ArgumentError);
  CHECK(x.item() == 1);
}

TEST_CASE("probing does not change the training, and layers' gradients are there at both ends") {
  const ExperimentResults results = results_of("landscape", {"none-seed1", "instance-seed1"}, 12);
  for (const LandscapeRun& run : results.landscape) {
    CHECK(run.step == std::vector<double>{1, 2, 4, 5, 7, 8, 10, 12});
    CHECK(run.first_gradients.size() == static_cast<std::size_t>(run.network.depth));
    CHECK(run.last_gradients.size() == run.first_gradients.size());
    for (std::size_t i = 0; i < run.step.size(); ++i) {
      CHECK(run.lowest[i] < run.highest[i]);
      CHECK((run.gradient_norm[i] > 0 && run.gradient_change[i] > 0));
      // From four times the rate down to half of it.
      CHECK(run.smoothness[i] * run.training.lr * 4 >= run.gradient_change[i] * 0.999);
      CHECK(run.smoothness[i] * run.training.lr / 2 <= run.gradient_change[i] * 1.001);
    }
  }
  // The same training without probes has the same losses.
  const LandscapeRun& probed = results.landscape.back();
  std::vector<double> losses;
  const auto plain = train_stack(task(), probed.network, probed.training, [](Index) { return true; });
  REQUIRE(plain);
  CHECK(mean_of_last_tenth(probed.loss) == doctest::Approx(plain->training_loss).epsilon(1e-12));
}

TEST_CASE("before a normalization gradients have no part along the weights, which only grow") {
  const ExperimentResults results = results_of(
      "weight-growth", {"none-SGD-seed1", "batch-SGD-seed1", "instance-SGD-seed1", "batch-Adam-seed1"}, 10);
  REQUIRE(results.weight_growth.size() == 4);
  for (const GrowthRun& run : results.weight_growth) {
    CAPTURE(run.name);
    REQUIRE(run.step.size() == 10);
    CHECK(run.growth.front() == doctest::Approx(1));
    const bool normalized = run.network.normalization != "none";
    for (std::size_t i = 0; i < run.step.size(); ++i) {
      CHECK((run.along[i] < 1e-4) == normalized);
      if (i > 0 && normalized && run.optimizer == "SGD") {
        CHECK(run.growth[i] > run.growth[i - 1]);
        CHECK(run.effective_rate[i] < run.effective_rate[i - 1]);
      }
    }
  }
}

TEST_CASE("what is seen is said from the numbers") {
  const std::vector<Named> runs = {
      {{"none"}, 4}, {{"none"}, 6}, {{"batch"}, 1}, {{"batch"}, 3}, {{"group"}, NAN}};
  const auto value = [](const Named& run) { return run.value; };
  CHECK(
      least_to_most(runs, value) ==
      "2.00 ± 1.41 with batch (the least) to 5.00 ± 1.41 with no normalization (the most), 2.50 times as much");
  std::vector<Named> close = runs;
  close[3].value = 5;
  CHECK(least_to_most(close, value).ends_with("; the seeds of these two overlap"));
  CHECK(least_to_most(std::vector<Named>(runs.begin(), runs.begin() + 2), value) ==
        "not known: fewer than two normalizations have been measured");
}
