// SqueezeNet as a loss network: against PyTorch's features, its taps, its gradients and its files.
#include <algorithm>
#include <cmath>

#include "files.h"
#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/autograd/pooling.h"
#include "gesso/core/files/safetensors.h"
#include "hashed.h"
#include "painting/losses.h"
#include "painting/squeezenet.h"
#include "paths.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

// The numbers of tests/golden/make_squeezenet.py.
NamedTensors hashed_weights(const SqueezeNetOptions& options) {
  NamedTensors weights;
  std::uint32_t convolution = 0;
  for (const auto& [key, shape] : squeezenet_parameters(options)) {
    if (shape.rank() == 4) {
      const double fan_in = static_cast<double>(shape[1] * shape[2] * shape[3]);
      weights.emplace_back(key, hashed(convolution, shape, 0, static_cast<float>(std::sqrt(24 / fan_in))));
    } else {
      weights.emplace_back(key, hashed(100 + convolution++, shape));
    }
  }
  return weights;
}

NamedTensors random_weights(const SqueezeNetOptions& options = {}) {
  Generator rng(6);
  return random_torchvision_weights(squeezenet_parameters(options), rng);
}

const SqueezeNet& first() {
  static const SqueezeNet network({}, random_weights());
  return network;
}

}  // namespace

TEST_CASE("the features are PyTorch's") {
  const SafetensorsReader golden(source_path("tests/golden/squeezenet.safetensors"));
  const Tensor pictures = hashed(200, {2, 3, 40, 33}, 0.5);
  const NoGradGuard no_grad;
  for (const int minor : {0, 1}) {
    const SqueezeNetOptions options{.minor = minor, .fires = 9};
    const SqueezeNet network(options, hashed_weights(options));
    const std::vector<Tensor> features = network.features(pictures);
    REQUIRE(features.size() == 9);
    REQUIRE(network.layers().back().name == "fire9");
    for (std::size_t i = 0; i < features.size(); ++i) {
      check_features(features[i], golden, concat_text("1_", minor, ".", network.layers()[i].name));
    }
  }
}

TEST_CASE("pooling is PyTorch's with ceil_mode") {
  const SafetensorsReader golden(source_path("tests/golden/squeezenet.safetensors"));
  for (Index size = 3; size <= 12; ++size) {
    CAPTURE(size);
    Tensor ramp = Tensor::empty({1, 1, 3, size});
    for (Index i = 0; i < 3 * size; ++i) {
      const float row[] = {0, 0.5f, 0.25f};
      ramp.mutable_data<float>()[i] = static_cast<float>(i % size) + row[i / size];
    }
    const Tensor pooled = squeezenet_pool(ramp);
    CHECK(pooled.size(3) == size / 2);
    CHECK(identical(pooled, golden.load(concat_text("pool.", size))));
  }
}

TEST_CASE("its parameters are torchvision's") {
  // What torchvision.models.squeezenet1_0().state_dict() and squeezenet1_1() list.
  const std::vector<std::vector<int>> fires = {{3, 4, 5, 7, 8, 9, 10, 12}, {3, 4, 6, 7, 9, 10, 11, 12}};
  for (const int minor : {0, 1}) {
    CAPTURE(minor);
    const Index squeezed[] = {16, 16, 32, 32, 48, 48, 64, 64};
    ParameterShapes expected = {{"features.0.weight", minor == 0 ? Shape{96, 3, 7, 7} : Shape{64, 3, 3, 3}},
                                {"features.0.bias", minor == 0 ? Shape{96} : Shape{64}}};
    Index in = minor == 0 ? 96 : 64;
    for (std::size_t i = 0; i < 8; ++i) {
      const std::string key = concat_text("features.", fires[static_cast<std::size_t>(minor)][i]);
      const Index s = squeezed[i];
      expected.insert(expected.end(), {{key + ".squeeze.weight", {s, in, 1, 1}},
                                       {key + ".squeeze.bias", {s}},
                                       {key + ".expand1x1.weight", {4 * s, s, 1, 1}},
                                       {key + ".expand1x1.bias", {4 * s}},
                                       {key + ".expand3x3.weight", {4 * s, s, 3, 3}},
                                       {key + ".expand3x3.bias", {4 * s}}});
      in = 8 * s;
    }
    CHECK(squeezenet_parameters({.minor = minor, .fires = 9}) == expected);
    expected.resize(2 + 5 * 6);  // down to fire6
    CHECK(squeezenet_parameters({.minor = minor}) == expected);
  }
}

TEST_CASE("taps: the picture's colours, then layers for style, content or both") {
  Generator rng(1);
  const NoGradGuard no_grad;
  const Tensor pictures = Tensor::uniform({2, 3, 32, 40}, rng);
  const std::vector<Tensor> all = first().features(pictures);
  REQUIRE(all.size() == 6);
  const std::vector<Tap> taps = first().taps(pictures);
  REQUIRE(taps.size() == 7 + 6);  // for half the size these pictures are too small
  CHECK_FALSE(taps[7].style.defined());
  CHECK_FALSE(taps.back().style.defined());
  CHECK(identical(taps[0].style, pictures));
  CHECK_FALSE(taps[0].content.defined());
  for (std::size_t i = 0; i < 6; ++i) {
    CAPTURE(i);
    const bool content = i == 4;  // fire5, which is no style tap
    CHECK(taps[i + 1].style.defined() != content);
    CHECK(taps[i + 1].content.defined() == content);
    CHECK(identical(content ? taps[i + 1].content : taps[i + 1].style, all[i]));
  }
  const std::vector<Tensor> content = first().content(pictures);
  REQUIRE(content.size() == 1);
  CHECK(identical(content[0], all[4]));

  // Another content layer: fire5 is no tap then, and a style tap may be content too.
  const SqueezeNet shallow({.content_layer = "fire3"}, random_weights());
  const std::vector<Tap> others = shallow.taps(pictures);
  REQUIRE(others.size() == 6 + 6);
  CHECK(identical(others[3].content, all[2]));
  CHECK(identical(others[3].style, all[2]));
  CHECK(identical(others[5].style, all[5]));
  CHECK(identical(shallow.content(pictures).at(0), all[2]));
  CHECK(identical(SqueezeNet({.content_layer = "fire6"}, random_weights()).content(pictures).at(0), all[5]));
  // Sizes: half, a quarter, an eighth; 1.1 halves once more before fire6.
  CHECK(all[0].shape() == Shape{2, 96, 16, 20});
  CHECK(all[3].shape() == Shape{2, 256, 8, 10});
  CHECK(all[5].shape() == Shape{2, 384, 4, 5});
  const SqueezeNet second({.minor = 1}, random_weights({.minor = 1}));
  CHECK(second.features(pictures).back().shape() == Shape{2, 384, 2, 2});
}

TEST_CASE("style is looked at in half the size too") {
  Generator rng(4);
  const NoGradGuard no_grad;
  const Tensor pictures = Tensor::uniform({1, 3, 64, 70}, rng);
  const std::vector<Tap> taps = first().taps(pictures);
  const std::vector<Tensor> halved = first().features(avg_pool2d(pictures, {.kernel = 2}));
  REQUIRE(taps.size() == 7 + 6);
  for (std::size_t i = 0; i < 6; ++i) {
    CHECK(identical(taps[7 + i].style, halved[i]));
    CHECK_FALSE(taps[7 + i].content.defined());
  }
  CHECK(first().content(pictures).size() == 1);
}

TEST_CASE("gradients reach the picture, and only the picture") {
  Generator rng(2);
  NamedTensors weights = random_weights();
  weights[0].second.requires_grad_(true);
  const SqueezeNet network({}, weights);
  const StyleTarget target(network, {Tensor::uniform({1, 3, 32, 40}, rng)});
  const Tensor photographs = Tensor::uniform({2, 3, 32, 33}, rng);
  Tensor output = Tensor::uniform({2, 3, 32, 33}, rng, 0.3, 0.6).requires_grad_();
  const Losses losses = style_transfer_losses(network, target, output, photographs, {});
  CHECK(losses.style > 0.01);
  CHECK(losses.content > 0.01);
  losses.total.backward();
  CHECK_FALSE(weights[0].second.grad().defined());
  // Down the gradient the loss falls, by about what the gradient promises.
  const double slope = sum(square(output.grad())).item();
  const double step = 1e-3 * losses.total.item() / slope;
  const double after =
      style_transfer_losses(network, target, output.detach() - step * output.grad(), photographs, {})
          .total.item();
  CHECK((losses.total.item() - after) / (step * slope) == doctest::Approx(1).epsilon(0.1));
  // Of each layer by itself, too.
  for (const std::size_t layer : {0, 2, 5}) {
    Tensor x = Tensor::uniform({1, 3, 32, 33}, rng).requires_grad_();
    sum(network.features(x)[layer]).backward();
    CHECK(sum(square(x.grad())).item() > 0);
  }
}

TEST_CASE("weights come from a safetensors file that holds what the network needs") {
  const TemporaryFolder folder;
  const std::string path = folder / "squeezenet.safetensors";
  NamedTensors weights = random_weights({.fires = 9});
  NamedTensors file = weights;
  file.emplace_back("classifier.1.weight",
                    Tensor::ones({4, 4, 1, 1}));  // what it does not need is left alone
  save_safetensors(path, file);
  const NamedTensors loaded = load_squeezenet_weights(path, {});
  REQUIRE(loaded.size() == squeezenet_parameters({}).size());
  for (std::size_t i = 0; i < loaded.size(); ++i) {
    CHECK(loaded[i].first == weights[i].first);
    CHECK(identical(loaded[i].second, weights[i].second));
  }
  Generator rng(3);
  const Tensor picture = Tensor::uniform({1, 3, 32, 32}, rng);
  const Tensor deepest = SqueezeNet({}, weights).features(picture).back();
  for (const char* name : {"squeezenet", "distilled"}) {
    const auto network = make_loss_network({.name = name, .weights = path});
    CHECK(identical(network->taps(picture)[6].style, deepest));
  }
  const auto fire4 = make_loss_network({.name = "squeezenet", .weights = path, .content_layer = "fire4"});
  CHECK(identical(fire4->content(picture).at(0), SqueezeNet({}, weights).features(picture)[3]));
  save_safetensors(folder / "1_1.safetensors", random_weights({.minor = 1}));
  const auto second = make_loss_network({.name = "squeezenet1_1", .weights = folder / "1_1.safetensors"});
  CHECK(identical(second->taps(picture)[6].style,
                  SqueezeNet({.minor = 1}, random_weights({.minor = 1})).features(picture).back()));

  // Of the other version, without a key, of another shape.
  CHECK_THROWS_WITH_AS(make_loss_network({.name = "squeezenet1_1", .weights = path}),
                       doctest::Contains("features.0.weight has shape (96, 3, 7, 7), not (64, 3, 3, 3); are "
                                         "these the weights of SqueezeNet 1.1?"),
                       FileError);
  CHECK_THROWS_WITH_AS(SqueezeNet({.minor = 1}, weights),
                       doctest::Contains("SqueezeNet 1.1: features.0.weight"), ArgumentError);
  weights.erase(weights.begin() + 3);
  CHECK_THROWS_WITH_AS(SqueezeNet({}, weights), doctest::Contains("features.3.squeeze.bias is missing"),
                       ArgumentError);
  save_safetensors(path, weights);
  CHECK_THROWS_WITH_AS(
      load_squeezenet_weights(path, {}),
      doctest::Contains("squeezenet.safetensors: it has no tensor features.3.squeeze.bias; it "
                        "must hold SqueezeNet 1.0 under torchvision's names"),
      FileError);
  weights[0].second = Tensor::zeros({96, 3, 5, 5});
  CHECK_THROWS_WITH_AS(SqueezeNet({}, weights),
                       doctest::Contains("features.0.weight has shape (96, 3, 5, 5)"), ArgumentError);
  CHECK_THROWS_WITH_AS(load_squeezenet_weights(folder / "none.safetensors", {}),
                       doctest::Contains("none.safetensors"), FileError);
}

TEST_CASE("impossible networks and pictures are refused with a reason") {
  const auto refused = [](const SqueezeNetOptions& options, const char* reason) {
    CHECK_THROWS_WITH_AS(squeezenet_layers(options), doctest::Contains(reason), ArgumentError);
  };
  refused({.minor = 2}, "version 1.2 is not 1.0 or 1.1");
  refused({.fires = 5}, "fires is 5; it must be from 6 to 9");
  refused({.fires = 10}, "fires is 10");
  refused(
      {.minor = 1, .content_layer = "fire7"},
      "content-layer: SqueezeNet 1.1 has no layer 'fire7'; it has conv1, fire2, fire3, fire4, fire5, fire6");
  CHECK(squeezenet_layers({.content_layer = "fire7", .fires = 7}).back().content);
  CHECK_THROWS_WITH_AS(make_loss_network({.content_layer = "relu2_2"}),
                       doctest::Contains("no layer 'relu2_2'"), ArgumentError);
  CHECK_THROWS_WITH_AS(first().taps(Tensor::zeros({1, 3, 31, 64})),
                       doctest::Contains("SqueezeNet 1.0: pictures have shape (1, 3, 31, 64)"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(first().content(Tensor::zeros({1, 1, 64, 64})), doctest::Contains("(N, 3, H, W)"),
                       ArgumentError);
  CHECK_NOTHROW(first().taps(Tensor::zeros({1, 3, 32, 32})));
}
