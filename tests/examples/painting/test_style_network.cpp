// The style network against PyTorch's: the same keys and shapes, and the same output from the same weights.
#include <cmath>
#include <map>
#include <tuple>

#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/autograd/reduce.h"
#include "gesso/core/files/json.h"
#include "gesso/core/files/safetensors.h"
#include "gesso/core/pictures/resize.h"
#include "painting/style_network.h"
#include "painting/stylize.h"
#include "paths.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

SafetensorsFile golden() { return load_safetensors(source_path("tests/golden/style_network.safetensors")); }

}  // namespace

TEST_CASE("keys and shapes at width 32 and 5 blocks are those of PyTorch's fast_neural_style") {
  Generator rng(1);
  StyleNetwork network({.width = 32, .blocks = 5}, rng);
  const Json expected = parse_json(golden().metadata.at("full_network"));
  const StateDict state = network.state_dict();
  CHECK(state.size() == expected.size());
  for (const auto& [name, tensor] : state) {
    CAPTURE(name);
    REQUIRE(expected.contains(name));
    CHECK(tensor.shape() == Shape(expected[name].get<std::vector<Index>>()));
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

TEST_CASE(
    "batch norm of processes that do not synchronize is instance norm in training, and batch norm in use") {
  const auto network_of = [](const char* normalization) {
    Generator rng(5);
    return std::make_unique<StyleNetwork>(
        StyleNetworkOptions{.width = 4, .blocks = 1, .normalization = normalization}, rng);
  };
  Generator rng(6);
  const Tensor x = Tensor::uniform({3, 3, 12, 16}, rng);
  const auto unsynchronized = network_of("batch-unsynchronized"), instance = network_of("instance");
  const Tensor y = (*unsynchronized)(x);
  CHECK(y.to_vector() == (*instance)(x).to_vector());
  sum(square(y)).backward();
  sum(square((*instance)(x))).backward();
  const Tensor first = unsynchronized->parameters().front(), of_instance = instance->parameters().front();
  CHECK(first.grad().to_vector() == of_instance.grad().to_vector());

  const auto batch = network_of("batch");
  batch->load_state_dict(unsynchronized->state_dict());
  unsynchronized->eval();
  batch->eval();
  CHECK((*unsynchronized)(x).to_vector() == (*batch)(x).to_vector());
}

TEST_CASE("from the same seed, networks begin with the same convolutions under every normalization") {
  CHECK(known_normalizations() == std::vector<std::string>{"batch", "batch-instance", "batch-unsynchronized",
                                                           "group", "instance", "layer", "none"});
  const auto convolutions = [](const std::string& normalization) {
    Generator rng(5);
    StyleNetwork network({.width = 6, .blocks = 1, .normalization = normalization}, rng);
    const NoGradGuard no_grad;
    CHECK(network(Tensor::full({2, 3, 8, 8}, 0.5)).shape() == Shape{2, 3, 8, 8});
    StateDict found;
    for (const auto& [name, tensor] : network.named_parameters()) {
      if (name.find("conv") != std::string::npos && name.find(".conv2d.") != std::string::npos) {
        found.emplace_back(name, tensor);
      }
    }
    return found;
  };
  const StateDict expected = convolutions("none");
  CHECK(expected.size() == 16);  // eight convolutions, each with weight and bias
  for (const std::string& normalization : known_normalizations()) {
    CAPTURE(normalization);
    const StateDict found = convolutions(normalization);
    REQUIRE(found.size() == expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      CHECK(found[i].first == expected[i].first);
      CHECK(identical(found[i].second, expected[i].second));
    }
  }
}

TEST_CASE("group norm has groups of at least two channels, 32 at most") {
  for (const auto& [channels, groups] : std::vector<std::pair<int, int>>{
           {1, 1}, {2, 1}, {3, 1}, {6, 3}, {8, 4}, {14, 7}, {26, 13}, {64, 32}, {128, 32}, {512, 32}}) {
    CAPTURE(channels);
    const auto norm = make_normalization("group", channels, Activation::relu);
    CHECK(norm->describe().find("GroupNorm(" + std::to_string(groups) + ", " + std::to_string(channels)) !=
          std::string::npos);
  }
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

TEST_CASE("a scale paints at another size and comes back to the picture's") {
  Generator rng(3);
  StyleNetwork network({.width = 2, .blocks = 1}, rng);
  const Tensor photograph = Tensor::uniform({1, 3, 21, 34}, rng);
  CHECK(identical(stylize(network, photograph, {.scale = 1}), stylize(network, photograph)));
  for (const auto& [scale, rows, columns] :
       {std::tuple{0.5, 11, 17}, {2.0, 42, 68}, {0.25, 5, 9}, {0.01, 1, 1}}) {
    CAPTURE(scale);
    const Tensor expected =
        resize_picture(stylize(network, resize_picture(photograph, rows, columns)), 21, 34);
    CHECK(identical(stylize(network, photograph, {.scale = scale}), expected));
  }
  CHECK(!identical(stylize(network, photograph, {.scale = 0.5}), stylize(network, photograph)));
  for (const double bad : {0.0, -1.0, std::nan(""), double{INFINITY}}) {
    CHECK_THROWS_WITH_AS(stylize(network, photograph, {.scale = bad}),
                         doctest::Contains("it must be above 0"), ArgumentError);
  }
  // Refused before anything is computed: these would take gigabytes.
  CHECK_THROWS_WITH_AS(stylize(network, Tensor::zeros({1, 3, 2000, 2000}), {.scale = 2.5}),
                       doctest::Contains("more than 16 million pixels; choose a scale of at most 2"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(stylize(network, Tensor::zeros({1, 3, 4200, 4000}), {.scale = 1.5}),
                       doctest::Contains("a scale of at most 1"), ArgumentError);
}

TEST_CASE("opacity: the photograph exactly, the painting exactly, and both in between") {
  Generator rng(4);
  StyleNetwork network({.width = 2, .blocks = 1}, rng);
  const Tensor photograph = Tensor::uniform({1, 3, 21, 34}, rng), painting = stylize(network, photograph);
  CHECK(identical(stylize(network, photograph, {.opacity = 0}), photograph));
  CHECK(identical(stylize(network, photograph, {.opacity = 1}), painting));
  const Tensor mixed = stylize(network, photograph, {.opacity = 0.25});
  CHECK(largest_difference(mixed, 0.75 * photograph + 0.25 * painting) < 1e-6);
  CHECK(identical(stylize(network, photograph, {.keep_colors = true}), keep_colors(painting, photograph)));
  for (const double bad : {-0.1, 1.1, std::nan("")}) {
    CHECK_THROWS_WITH_AS(stylize(network, photograph, {.opacity = bad}), doctest::Contains("from 0 to 1"),
                         ArgumentError);
  }
}

TEST_CASE("a network of many styles paints each sample in its own, or in a mix") {
  Generator rng(5);
  StyleNetwork network({.width = 2, .blocks = 1, .styles = 3}, rng);
  for (const auto& [name, parameter] : network.named_parameters()) {
    if (name.find("in") != std::string::npos && parameter.rank() == 2) {
      REQUIRE(parameter.size(0) == 3);
      Tensor(parameter).copy_(Tensor::uniform(parameter.shape(), rng, 0.5, 1.5));
    }
  }
  const NoGradGuard no_grad;
  const Tensor pictures = Tensor::uniform({2, 3, 16, 16}, rng);
  const auto paint = [&](const Tensor& x, const std::vector<Index>& styles) {
    network.set_styles(styles);
    return network(x);
  };
  const Tensor mixed_batch = paint(pictures, {2, 0});
  CHECK(identical(mixed_batch.slice(0, 1), paint(pictures.slice(0, 1), {2})));
  CHECK(identical(mixed_batch.slice(1, 2), paint(pictures.slice(1, 2), {0})));
  CHECK(largest_difference(paint(pictures, {0}), paint(pictures, {1})) > 1e-3);
  const Tensor third = paint(pictures, {2});
  network.set_mix({0, 0, 1});
  CHECK(largest_difference(network(pictures), third) < 1e-6);
  network.set_mix({0.5, 0.25, 0.25});
  CHECK(largest_difference(network(pictures), third) > 1e-3);
  CHECK_THROWS_WITH_AS(network.set_styles({3}), doctest::Contains("there is no style 3"), ArgumentError);
  CHECK_THROWS_WITH_AS(network.set_mix({1, 0}), doctest::Contains("2 weights for 3 styles"), ArgumentError);
  CHECK_THROWS_WITH_AS(StyleNetwork({.width = 2, .normalization = "batch", .styles = 2}, rng),
                       doctest::Contains("need instance normalization"), ArgumentError);
  StyleNetwork single({.width = 2, .blocks = 0}, rng);
  single.set_styles({0});
  CHECK_THROWS_AS(single.set_styles({1}), ArgumentError);
  single.set_mix({1});
  CHECK_THROWS_WITH_AS(single.set_mix({0.5}), doctest::Contains("cannot be mixed"), ArgumentError);
}

TEST_CASE("keep_colors takes the brightness of one picture and the colours of the other") {
  Generator rng(6);
  const Tensor painted = Tensor::uniform({1, 3, 4, 5}, rng, 0.4, 0.6);
  const Tensor photograph = Tensor::uniform({1, 3, 4, 5}, rng, 0.4, 0.6);
  const Tensor kept = keep_colors(painted, photograph);
  const auto brightness = [](const Tensor& x, Index i) {
    return 0.299 * x.at({0, 0, i, i}) + 0.587 * x.at({0, 1, i, i}) + 0.114 * x.at({0, 2, i, i});
  };
  for (Index i = 0; i < 4; ++i) {
    CHECK(brightness(kept, i) == doctest::Approx(brightness(painted, i)));
    CHECK(kept.at({0, 0, i, i}) - kept.at({0, 2, i, i}) ==
          doctest::Approx(photograph.at({0, 0, i, i}) - photograph.at({0, 2, i, i})));
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

TEST_CASE("noise is added to the photographs, as strong as asked, and the same for the same number") {
  Generator rng(8);
  StyleNetwork plain({.width = 2, .blocks = 0}, rng), noisy({.width = 2, .blocks = 0, .noise = 0.1}, rng);
  noisy.load_state_dict(plain.state_dict());
  const NoGradGuard no_grad;
  const Tensor x = Tensor::uniform({2, 3, 16, 20}, rng);
  const Tensor first = noisy(x);
  CHECK(identical(noisy(x), first));
  CHECK(!identical(plain(x), first));
  noisy.set_noise(1);
  CHECK(!identical(noisy(x), first));
  noisy.set_noise(0, {0});
  CHECK(identical(noisy(x), plain(x)));
  noisy.set_noise(0, {1, 0});
  CHECK(identical(noisy(x).slice(0, 1), first.slice(0, 1)));
  CHECK(identical(noisy(x).slice(1, 2), plain(x).slice(1, 2)));
  CHECK_THROWS_WITH_AS(noisy(x.slice(0, 1)), doctest::Contains("2 amounts of noise for 1 pictures"),
                       ArgumentError);
  CHECK_THROWS_AS(noisy.set_noise(0, {}), ArgumentError);
  CHECK_THROWS_WITH_AS(StyleNetwork({.noise = 2}, rng), doctest::Contains("noise 2 is not in 0 to 1"),
                       ArgumentError);
}

TEST_CASE("the parameters of a network are known without making it") {
  for (const StyleNetworkOptions& options :
       std::vector<StyleNetworkOptions>{{.width = 3, .blocks = 2},
                                        {.width = 4, .blocks = 0, .normalization = "batch"},
                                        {.width = 2, .blocks = 1, .normalization = "none"},
                                        {.width = 2, .blocks = 1, .normalization = "group"},
                                        {.width = 2, .blocks = 1, .normalization = "batch-instance"},
                                        {.width = 2, .blocks = 3, .normalization = "layer"},
                                        {.width = 2, .blocks = 1, .styles = 5}}) {
    CAPTURE(options.normalization);
    Generator rng(1);
    const StyleNetwork network(options, rng);
    std::map<std::string, Shape> expected, found;
    for (const auto& [name, parameter] : network.named_parameters()) {
      expected.emplace(name, parameter.shape());
    }
    for (const auto& [name, shape] : style_network_parameters(options)) {
      found.emplace(name, shape);
    }
    CHECK(found == expected);
  }
  CHECK_THROWS_AS(style_network_parameters({.width = 513}), ArgumentError);
}
