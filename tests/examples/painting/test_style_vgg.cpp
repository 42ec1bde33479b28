// VGG as a loss network: against PyTorch's features, what it computes and what it does not, and its files.
#include <cmath>

#include "files.h"
#include "gesso/autograd/convolution.h"
#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/autograd/reduce.h"
#include "gesso/autograd/shape_ops.h"
#include "gesso/core/files/safetensors.h"
#include "hashed.h"
#include "painting/losses.h"
#include "painting/vgg.h"
#include "paths.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

NamedTensors hashed_weights(const VggOptions& options) {
  NamedTensors weights;
  for (const VggLayer& layer : vgg_layers(options)) {
    const auto index =
        static_cast<std::uint32_t>(std::stoi(layer.key.substr(std::string("features.").size())));
    const auto factor = static_cast<float>(std::sqrt(24.0 / static_cast<double>(9 * layer.in)));
    weights.emplace_back(layer.key + ".weight", hashed(index, layer.weight_shape(), 0, factor));
    weights.emplace_back(layer.key + ".bias", hashed(100 + index, {layer.out}));
  }
  return weights;
}

const Vgg& vgg16() {
  static const Vgg network({.depth = 16}, [] {
    Generator rng(6);
    return random_vgg_weights({.depth = 16}, rng);
  }());
  return network;
}

}  // namespace

TEST_CASE("the features are PyTorch's") {
  const SafetensorsReader golden(source_path("tests/golden/vgg.safetensors"));
  const Tensor pictures = hashed(200, {2, 3, 40, 33}, 0.5);
  const NoGradGuard no_grad;
  for (int depth : {16, 19}) {
    const VggOptions options{.depth = depth};
    const Vgg network(options, hashed_weights(options));
    const std::vector<Tap> taps = network.taps(pictures);
    std::size_t tap = 0;
    for (const VggLayer& layer : vgg_layers(options)) {
      if (!layer.style && !layer.content) {
        continue;
      }
      const std::string name = concat_text("vgg", depth, ".", layer.name);
      CAPTURE(name);
      REQUIRE(tap < taps.size());
      CHECK(taps[tap].style.defined() == layer.style);
      CHECK(taps[tap].content.defined() == layer.content);
      const Tensor features = layer.style ? taps[tap].style : taps[tap].content;
      check_features(features, golden, name);
      if (layer.content) {
        CHECK(identical(network.content(pictures).at(0), features));
      }
      ++tap;
    }
    CHECK(tap == taps.size());
  }
}

TEST_CASE("layers deeper than the last tap do not exist, those deeper than the content are left out") {
  CHECK(vgg_layers({.depth = 16}).back().name == "relu4_3");
  CHECK(vgg_layers({.depth = 16}).back().key == "features.21");
  CHECK(vgg_layers({.depth = 19}).back().name == "relu5_1");
  CHECK(vgg_layers({.depth = 19}).back().key == "features.28");
  CHECK(vgg_layers({.depth = 16, .content_layer = "relu5_3"}).back().key == "features.28");
  CHECK(vgg_layers({.depth = 19, .content_layer = "relu5_4"}).back().key == "features.34");
  Generator rng(1);
  const NoGradGuard no_grad;
  const Tensor picture = Tensor::uniform({1, 3, 32, 32}, rng);
  const std::vector<Tensor> content = vgg16().content(picture);
  REQUIRE(content.size() == 1);
  CHECK(content[0].shape() == Shape{1, 128, 16, 16});
}

TEST_CASE("the style and content losses suit it, and only the picture gets a gradient") {
  Generator rng(2);
  const Tensor style = Tensor::uniform({1, 3, 32, 40}, rng),
               photographs = Tensor::uniform({2, 3, 32, 32}, rng);
  const StyleTarget target(vgg16(), {style});
  CHECK(target.loss(vgg16().taps(style)).item() == doctest::Approx(0).epsilon(1e-6));
  Tensor output = Tensor::uniform({2, 3, 32, 32}, rng, 0.3, 0.6).requires_grad_();
  const Losses losses = style_transfer_losses(vgg16(), target, output, photographs, {});
  CHECK(losses.style > 0.01);
  CHECK(losses.content > 0.01);
  losses.total.backward();
  // Down the gradient the loss falls, by about what the gradient promises.
  const double slope = sum(square(output.grad())).item();
  const double step = 1e-3 * losses.total.item() / slope;
  const double after =
      style_transfer_losses(vgg16(), target, output.detach() - step * output.grad(), photographs, {})
          .total.item();
  CHECK((losses.total.item() - after) / (step * slope) == doctest::Approx(1).epsilon(0.1));
}

TEST_CASE("weights come from a safetensors file that holds what the network needs") {
  const TemporaryFolder folder;
  const std::string path = folder / "vgg.safetensors";
  Generator rng(3);
  const VggOptions options{.depth = 16, .content_layer = "relu2_1"};
  NamedTensors weights = random_vgg_weights(options, rng);
  NamedTensors file = weights;
  file.emplace_back("classifier.0.weight", Tensor::ones({4, 4}));  // what it does not need is left alone
  save_safetensors(path, file);
  const NamedTensors loaded = load_vgg_weights(path, options);
  REQUIRE(loaded.size() == weights.size());
  for (std::size_t i = 0; i < loaded.size(); ++i) {
    CHECK(loaded[i].first == weights[i].first);
    CHECK(identical(loaded[i].second, weights[i].second));
  }
  const auto network = make_loss_network({.name = "vgg16", .weights = path, .content_layer = "relu2_1"});
  const Tensor picture = Tensor::uniform({1, 3, 32, 32}, rng);
  CHECK(identical(network->content(picture).at(0), Vgg(options, weights).content(picture).at(0)));

  CHECK_THROWS_WITH_AS(load_vgg_weights(path, {.depth = 19}),
                       doctest::Contains("it has no tensor features.16.weight"), FileError);
  weights.erase(weights.begin() + 3);
  CHECK_THROWS_WITH_AS(Vgg(options, weights), doctest::Contains("features.2.bias is missing"), ArgumentError);
  save_safetensors(path, weights);
  CHECK_THROWS_WITH_AS(load_vgg_weights(path, options), doctest::Contains("it has no tensor features.2.bias"),
                       FileError);
  weights[0].second = Tensor::zeros({64, 3, 5, 5});
  CHECK_THROWS_WITH_AS(Vgg(options, weights), doctest::Contains("features.0.weight has shape (64, 3, 5, 5)"),
                       ArgumentError);
  save_safetensors(path, weights);
  CHECK_THROWS_WITH_AS(
      load_vgg_weights(path, options),
      doctest::Contains("vgg.safetensors: features.0.weight has shape (64, 3, 5, 5), not (64, 3, 3, 3)"),
      FileError);
}

TEST_CASE(
    "weights as Caffe has them are recognised and compute with our pictures what they do with Caffe's") {
  const TemporaryFolder folder;
  const std::string path = folder / "vgg.safetensors";
  Generator rng(4);
  const VggOptions options{.depth = 16, .content_layer = "relu1_1"};
  NamedTensors weights = random_vgg_weights(options, rng);
  Tensor& bias = weights[1].second;
  bias = Tensor::randn({64}, rng);
  const Tensor picture = Tensor::uniform({1, 3, 32, 33}, rng);
  // Blue, green, red from 0 to 255, less Caffe's mean.
  const Tensor caffe =
      255 * concat({slice(picture, 1, 2, 3), slice(picture, 1, 1, 2), slice(picture, 1, 0, 1)}, 1) -
      Tensor::from({103.939, 116.779, 123.68}, {1, 3, 1, 1});
  const auto inside = [](const Tensor& x) {
    return slice(slice(x, 2, 1, x.size(2) - 1), 3, 1, x.size(3) - 1);
  };
  const auto check = [&](const NamedTensors& file) {
    save_safetensors(path, file);
    const NamedTensors loaded = load_vgg_weights(path, options);
    CHECK(loaded[2].first == "features.2.weight");
    CHECK(identical(loaded[2].second, weights[2].second));
    const Tensor features = Vgg(options, loaded).content(picture).at(0);
    const Tensor expected =
        conv2d(caffe, weights[0].second, weights[1].second, {.padding = 1}, Activation::relu);
    CHECK(largest_difference(inside(features), inside(expected)) < 1e-4 * largest(expected));
    CHECK(largest_difference(features, expected) < 0.02 * largest(expected));  // see from_caffe()
  };

  NamedTensors file = weights;  // by Caffe's names
  std::size_t next = 0;
  for (const VggLayer& layer : vgg_layers(options)) {
    file[next++].first = "conv" + layer.name.substr(4) + ".weight";
    file[next++].first = "conv" + layer.name.substr(4) + ".bias";
  }
  check(file);
  file = weights;  // by the classifier
  file.emplace_back("classifier.1.weight", Tensor::ones({2, 2}));
  check(file);
  bias.set({0}, 0.7301776);  // by the numbers
  bias.set({1}, 0.06493629);
  bias.set({2}, 0.03428847);
  bias.set({3}, 0.8260386);
  check(weights);

  bias.set({3}, 0.5);  // torchvision's, which are taken as they are
  file = weights;
  file.emplace_back("classifier.0.weight", Tensor::ones({2, 2}));
  save_safetensors(path, file);
  CHECK(identical(load_vgg_weights(path, options)[0].second, weights[0].second));
}

TEST_CASE("impossible loss networks and pictures are refused with a reason") {
  const auto refused = [](const LossNetworkOptions& options, const std::string& reason) {
    CHECK_THROWS_WITH_AS(make_loss_network(options), doctest::Contains(reason.c_str()), ArgumentError);
  };
  refused({.name = "vgg11"},
          "unknown network 'vgg11'; known are distilled, filters, squeezenet, squeezenet1_1, vgg16, vgg19");
  for (const char* name : {"vgg16", "vgg19", "squeezenet", "squeezenet1_1"}) {
    refused({.name = name}, concat_text("loss-weights: name the file with the weights of ", name));
  }
  refused({.name = "filters", .weights = "vgg.safetensors"}, "the filter bank needs no weights");
  refused({.name = "filters", .content_layer = "relu2_2"}, "the filter bank has its own");
  refused({.name = "vgg16", .weights = "x", .content_layer = "fire5"}, "VGG16 has no layer 'fire5'");
  refused({.name = "vgg16", .weights = "x", .content_layer = "relu3_4"},
          "no layer 'relu3_4'; it has relu1_1, relu1_2");
  CHECK_THROWS_WITH_AS(vgg_layers({.depth = 13}), doctest::Contains("depth 13 is not 16 or 19"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(vgg16().taps(Tensor::zeros({1, 3, 16, 64})), doctest::Contains("at least 32"),
                       ArgumentError);
}
