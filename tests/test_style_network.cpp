// The style network against PyTorch's: the same keys and shapes, and the same output from the same weights.
#include <nlohmann/json.hpp>

#include "gesso/autograd/node.h"
#include "gesso/core/safetensors.h"
#include "style_network.h"
#include "stylize.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

SafetensorsFile golden() {
  return load_safetensors(GESSO_SOURCE_DIR "/tests/golden/style_network.safetensors");
}

}  // namespace

TEST_CASE("keys and shapes at width 32 and 5 blocks are those of PyTorch's fast_neural_style") {
  Generator rng(1);
  StyleNetwork network({.width = 32, .blocks = 5}, rng);
  const nlohmann::json expected = nlohmann::json::parse(golden().metadata.at("full_network"));
  const StateDict state = network.state_dict();
  CHECK(state.size() == expected.size());
  for (const auto& [name, tensor] : state) {
    CAPTURE(name);
    REQUIRE(expected.contains(name));
    CHECK(tensor.shape() == Shape(expected[name].get<std::vector<std::int64_t>>()));
  }
}

TEST_CASE("the output equals PyTorch's") {
  const SafetensorsFile file = golden();
  Generator rng(1);
  StyleNetwork network({.width = 4, .blocks = 2}, rng);
  StateDict weights;
  Tensor input, output;
  for (const auto& [name, tensor] : file.tensors) {
    if (name.starts_with("network.")) {
      weights.emplace_back(name.substr(8), tensor);
    } else {
      (name == "input" ? input : output) = tensor;
    }
  }
  network.load_state_dict(weights);
  const NoGradGuard no_grad;
  CHECK(largest_difference(network(input), output) < 2e-5);
}

TEST_CASE("every parameter of the network gets the right gradient") {
  Generator rng(2);
  StyleNetwork network({.width = 2, .blocks = 1}, rng);
  network.to(float64);
  check_gradients([&](const auto& in) { return network(in[0]); }, {random_input({2, 3, 9, 8})},
                  {.max_elements = 25, .parameters = network.named_parameters()});
}

TEST_CASE("stylize keeps the size of any picture and stays in [0, 1]") {
  Generator rng(3);
  StyleNetwork network({.width = 2, .blocks = 1}, rng);
  for (const Shape& shape :
       {Shape{1, 3, 1, 1}, Shape{1, 3, 1, 9}, Shape{1, 3, 5, 5}, Shape{1, 3, 17, 22}, Shape{1, 3, 64, 32}}) {
    CAPTURE(shape.str());
    const Tensor painted = stylize(network, Tensor::uniform(shape, rng));
    CHECK(painted.shape() == shape);
    for (double value : painted.to_vector()) {
      CHECK((value >= 0 && value <= 1));
    }
  }
}

TEST_CASE("impossible networks and pictures are refused with a reason") {
  Generator rng(4);
  CHECK_THROWS_WITH_AS(StyleNetwork({.width = 0}, rng), doctest::Contains("width 0 is not in 1 to 512"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(StyleNetwork({.width = 2, .normalization = "batsch"}, rng),
                       doctest::Contains("unknown normalization 'batsch'; known are"), ArgumentError);
  StyleNetwork network({.width = 2, .blocks = 0}, rng);
  CHECK_THROWS_WITH_AS(network(Tensor::zeros({1, 1, 32, 32})), doctest::Contains("(N, 3, H, W)"),
                       ArgumentError);
}
