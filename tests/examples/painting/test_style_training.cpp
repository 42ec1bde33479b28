// A training with the plain loops that define convolution, and the same with the fast kernels.
#include <vector>

#include "gesso/core/convolution/convolution.h"
#include "gesso/training/optim/adam.h"
#include "painting/filter_bank.h"
#include "painting/losses.h"
#include "painting/settings.h"
#include "painting/style_network.h"
#include "support.h"

using namespace gesso;

namespace {

// The loss before each of `steps` steps.
std::vector<double> train(int steps) {
  Generator rng(1);
  StyleNetwork network({.width = 8, .blocks = 2}, rng);  // 32 channels in the middle: enough for Winograd's
  const FilterBank filters;
  const StyleTarget style(filters, std::vector<Tensor>{Tensor::uniform({1, 3, 32, 32}, rng)});
  const Tensor photographs = Tensor::uniform({2, 3, 32, 32}, rng);
  Adam adam(network.parameters(), {.lr = 1e-3});
  std::vector<double> result;
  for (int step = 0; step < steps; ++step) {
    adam.zero_grad();
    const Losses losses =
        style_transfer_losses(filters, style, network(photographs), photographs, LossWeights());
    losses.total.backward();
    adam.step();
    result.push_back(losses.total.item());
  }
  return result;
}

}  // namespace

TEST_CASE("a training with fast kernels keeps within 1 % of the losses of one with plain kernels") {
  constexpr int steps = 8;
  const std::vector<double> fast = train(steps);
  const std::vector<double> plain = [] {
    const ConvolutionAlgorithmGuard guard(ConvolutionAlgorithm::plain);
    return train(steps);
  }();
  CHECK(plain.back() < 0.8 * plain.front());  // it learns something
  CHECK(fast != plain);                       // the guard did something
  for (int step = 0; step < steps; ++step) {
    CAPTURE(step);
    CHECK(fast[step] == doctest::Approx(plain[step]).epsilon(0.01));
  }
}

TEST_CASE("a network that was trained with skip connections is refused, as it would paint otherwise") {
  TrainSettings settings;
  settings.styles = {"a.jpg"};
  auto metadata = settings.to_metadata();
  metadata["skips"] = "false";
  CHECK(TrainSettings::from_metadata(metadata).styles == settings.styles);
  metadata["skips"] = "true";
  CHECK_THROWS_WITH_AS(TrainSettings::from_metadata(metadata), doctest::Contains("train it again"),
                       ArgumentError);
}
