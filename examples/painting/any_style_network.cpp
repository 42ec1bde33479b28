#include "any_style_network.h"

#include <algorithm>
#include <cmath>

#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/autograd/reduce.h"
#include "gesso/autograd/shape_ops.h"
#include "gesso/layers/normalization/conditional.h"

namespace gesso {
namespace {

// As in the presets of chosen styles.
constexpr double kNoise = 0.1;

// The mean and the deviation of each channel of the encoder's style taps: the colours, the style layers and,
// of the picture at half its size, all layers.
Index numbers() {
  Index channels = 3;
  for (const SqueezeNetLayer& layer : squeezenet_layers({})) {
    channels += (layer.style ? 2 : 1) * layer.out;
  }
  return 2 * channels;
}

NamedTensors blank_encoder() {
  NamedTensors weights;
  for (const auto& [name, shape] : squeezenet_parameters({})) {
    weights.emplace_back(name, Tensor::zeros(shape));
  }
  return weights;
}

const AnyStyleOptions& checked(const AnyStyleOptions& options) {
  require(options.manners >= 1 && options.manners <= 4096, "any-style network: manners is ", options.manners,
          "; it must be from 1 to 4096");
  require(options.hidden >= 1 && options.hidden <= 4096, "any-style network: hidden is ", options.hidden,
          "; it must be from 1 to 4096");
  return options;
}

Tensor deviation_of(const Tensor& x, const std::vector<int>& dims, bool keepdim, double least) {
  return sqrt(variance(x, dims, {.unbiased = false, .keepdim = keepdim}) + least);
}

}  // namespace

AnyStyleNetwork::AnyStyleNetwork(const AnyStyleOptions& options, Generator& rng)
    : options_(checked(options)),
      encoder_weights_(blank_encoder()),
      encoder_({}, encoder_weights_),
      network_(
          {.width = options.width, .blocks = options.blocks, .styles = 1 + options.manners, .noise = kNoise},
          rng),
      hidden_(numbers(), options.hidden, {}, rng),
      manners_(options.hidden, options.manners, {}, rng) {
  for (const auto& [name, weights] : encoder_weights_) {
    std::string key = "encoder." + name;
    std::replace(key.begin(), key.end(), '.', '_');
    register_buffer(key, weights);
  }
  register_module("network", network_);
  register_module("hidden", hidden_);
  register_module("manners", manners_);
  mean_ = register_buffer("mean", Tensor::zeros({1, numbers()}));
  deviation_ = register_buffer("deviation", Tensor::ones({1, numbers()}));
  // The predictor's first layer adds up thousands of numbers that move together, and Adam moves all its weights by the
  // same amount: one step would throw what it predicts far away. So its weights are of size 1, and what they add up is
  // small (mix_of()); a step then moves them relatively less the more there are.
  const NoGradGuard no_grad;
  hidden_.weight.copy_(hidden_.weight * std::sqrt(static_cast<double>(numbers())));
  // Manners begin as small deviations from what all have in common; were they all 0, predictions would have
  // no gradient.
  for (const auto& [name, module] : network_.named_modules()) {
    if (auto* norm = dynamic_cast<ConditionalInstanceNorm2d*>(module)) {
      const Shape common({1, norm->weight.size(1)}), rows({options.manners, norm->weight.size(1)});
      norm->weight.copy_(concat({Tensor::ones(common), 0.1 * Tensor::randn(rows, rng)}, 0));
      norm->bias.copy_(concat({Tensor::zeros(common), 0.1 * Tensor::randn(rows, rng)}, 0));
    }
  }
}

void AnyStyleNetwork::load_encoder(const std::string& file) {
  const NoGradGuard no_grad;
  const NamedTensors from = load_squeezenet_weights(file, {});
  for (auto& [name, weights] : encoder_weights_) {
    const auto found = std::find_if(from.begin(), from.end(),
                                    [&, &name = name](const auto& entry) { return entry.first == name; });
    weights.copy_(found->second);
  }
}

Tensor AnyStyleNetwork::statistics(const Tensor& pictures) const {
  require(pictures.rank() == 4 && pictures.size(1) == 3 && pictures.size(2) >= min_style_size &&
              pictures.size(3) >= min_style_size,
          "any-style network: style pictures have shape ", pictures.shape(),
          "; they must be (N, 3, H, W) with H and W of at least ", min_style_size);
  const NoGradGuard no_grad;
  std::vector<Tensor> all;
  for (const Tap& tap : encoder_.taps(pictures)) {
    if (tap.style.defined()) {
      all.push_back(mean(tap.style, {2, 3}));
      all.push_back(deviation_of(tap.style, {2, 3}, false, 1e-5));
    }
  }
  return concat(all, 1);
}

void AnyStyleNetwork::measure_styles(const std::vector<Tensor>& statistics) {
  require(!statistics.empty(), "any-style network: there is no style picture to measure");
  const NoGradGuard no_grad;
  const Tensor measured = concat(statistics, 0);
  mean_.copy_(mean(measured, {0}, true));
  deviation_.copy_(deviation_of(measured, {0}, true, 1e-5));
}

Tensor AnyStyleNetwork::mix_of(const Tensor& pictures) {
  // Clamped: a picture unlike all those of the training must not take the predictor far from what it knows.
  const Tensor relative = clamp((statistics(pictures) - mean_) / deviation_, -3, 3);
  const Tensor manners = manners_(relu(hidden_(relative / std::sqrt(static_cast<double>(numbers())))));
  const Shape column({pictures.size(0), 1});
  return concat({Tensor::ones(column), manners}, 1);
}

void AnyStyleNetwork::set_style(const Tensor& picture) {
  const NoGradGuard no_grad;
  set_style_mix(network_, mix_of(picture));
  network_.set_noise(0);  // training may have left amounts for a batch
}

Tensor AnyStyleNetwork::paint(const Tensor& photographs, const Tensor& mix) {
  set_style_mix(network_, mix);
  return network_(photographs);
}

}  // namespace gesso
