// The measurements of docs/normalization.md, "Why normalization helps", on a small scale.
#include <algorithm>
#include <cmath>

#include "compare_norms/conv_stack.h"
#include "gesso/training/picture_folder.h"
#include "paths.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

const ClassificationTask& task() {
  static const ClassificationTask photographs = [] {
    std::vector<std::string> files = pictures_in(source_path("examples/assets/photos"));
    files.resize(4);
    return make_classification_task(files);
  }();
  return photographs;
}

StackResult train(const std::string& normalization, InitialWeights weights, const StackTraining& training) {
  return *train_stack(task(), {.normalization = normalization, .weights = weights, .depth = 14, .width = 8},
                      training);
}

double ratio(const std::vector<double>& gradients) { return gradients.front() / gradients.back(); }

}  // namespace

TEST_CASE("gradients fade towards the first layer without a normalization, and with one they do not") {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    CAPTURE(seed);
    const StackTraining training{.batch = 8, .steps = 1, .seed = seed};
    const StackResult none = train("none", InitialWeights::pytorch, training);
    REQUIRE(none.first_gradients.size() == 14);
    CHECK(none.later_gradients == none.first_gradients);  // of a single step
    CHECK(ratio(none.first_gradients) < 1e-2);
    CHECK(ratio(train("none", InitialWeights::he, training).first_gradients) > 0.05);
    for (const char* norm : {"batch", "instance", "group"}) {
      CAPTURE(norm);
      CHECK(ratio(train(norm, InitialWeights::pytorch, training).first_gradients) > 0.05);
    }
  }
}

TEST_CASE("a training learns, is the same every time, and its modes part for batch norm alone") {
  const StackTraining training{.batch = 8, .steps = 40, .lr = 0.02};
  const StackResult batch = train("batch", InitialWeights::pytorch, training);
  CHECK(batch.training_loss < std::log(4.0));
  CHECK(batch.test.loss != batch.test_in_batches.loss);
  const StackResult again = train("batch", InitialWeights::pytorch, training);
  CHECK(again.test.loss == batch.test.loss);
  CHECK(again.later_gradients == batch.later_gradients);
  const StackResult group = train("group", InitialWeights::pytorch, training);
  CHECK(std::isfinite(group.test.loss));
  CHECK(group.test.loss == group.test_in_batches.loss);
}

TEST_CASE("a training that diverges says so") {
  const StackResult result = train("none", InitialWeights::he, {.batch = 8, .steps = 20, .lr = 1e30});
  CHECK(std::isnan(result.training_loss));
  CHECK(std::isnan(result.test.loss));
  CHECK(std::ranges::all_of(result.later_gradients, [](double g) { return std::isnan(g); }));
  CHECK(std::isfinite(result.first_gradients.front()));
}
