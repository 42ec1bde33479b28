#include "trained_stack.h"

#include <algorithm>
#include <map>

#include "gesso/autograd/convolution.h"
#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/autograd/pooling.h"
#include "gesso/autograd/reduce.h"

namespace gesso {
namespace {

std::string key_of(int stage, int convolution) { return concat_text("conv", stage, "_", convolution); }

// Reflection, not zeros: a dark frame around every picture would be part of each style.
Tensor convolve(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  return conv2d(x, weight, bias, {.padding = 1, .padding_mode = PaddingMode::reflect}, Activation::relu);
}

Tensor input_of(const Tensor& pictures) { return pictures - 0.5; }

Tensor halve(const Tensor& x) { return avg_pool2d(x, {.kernel = 2}); }

}  // namespace

TrainedStack::TrainedStack(const NamedTensors& weights, const TrainedStackOptions& options)
    : options_(options) {
  const std::map<std::string, Tensor> by_name(weights.begin(), weights.end());
  Index channels = 3;
  std::size_t used = 0;
  for (int stage = 1; by_name.contains(key_of(stage, 1) + ".weight"); ++stage) {
    stages_.emplace_back();
    for (int i = 1; by_name.contains(key_of(stage, i) + ".weight"); ++i) {
      const std::string key = key_of(stage, i);
      const Tensor weight = by_name.at(key + ".weight");
      require(weight.rank() == 4 && weight.shape() == Shape({weight.size(0), channels, 3, 3}),
              "TrainedStack: ", key, ".weight has shape ", weight.shape(), ", not (out, ", channels,
              ", 3, 3)");
      require(by_name.contains(key + ".bias"), "TrainedStack: ", key, ".bias is missing");
      const Tensor bias = by_name.at(key + ".bias");
      channels = weight.size(0);
      require(bias.shape() == Shape({channels}), "TrainedStack: ", key, ".bias has shape ", bias.shape(),
              ", not (", channels, ")");
      stages_.back().push_back({weight.detach(), bias.detach()});
      used += 2;
    }
  }
  require(!stages_.empty(), "TrainedStack: conv1_1.weight is missing; these are no weights of such a stack");
  require(used == weights.size(), "TrainedStack: of ", weights.size(), " parameters only ", used,
          " belong to stages without a gap, conv1_1, conv1_2, ..., conv2_1, ...");
  require(options.first_style_stage >= 1 && options.first_style_stage <= stages(),
          "TrainedStack: style stage ", options.first_style_stage, "; there are ", stages());
  require(options.content_stage >= 0 && options.content_stage <= stages(), "TrainedStack: content stage ",
          options.content_stage, "; there are ", stages());
  require(options.scales >= 1 && options.scales <= 8, "TrainedStack: ", options.scales,
          " scales are not in 1 to 8");
}

// The taps among the first `stages` stages.
std::vector<Tap> TrainedStack::run(const Tensor& pictures, int stages) const {
  require(pictures.rank() == 4 && pictures.size(1) == 3 && pictures.size(2) >= min_size() &&
              pictures.size(3) >= min_size(),
          "TrainedStack: pictures have shape ", pictures.shape(),
          "; they must be (N, 3, H, W) with H and W of at least ", min_size());
  std::vector<Tap> taps;
  Tensor x = input_of(pictures);
  for (int stage = 1; stage <= stages; ++stage) {
    if (stage > 1) {
      x = halve(x);
    }
    for (const Convolution& convolution : stages_[stage - 1]) {
      x = convolve(x, convolution.weight, convolution.bias);
    }
    const bool style = stage >= options_.first_style_stage, content = stage == options_.content_stage;
    if (style || content) {
      taps.push_back({.style = style ? x : Tensor(), .content = content ? x : Tensor()});
    }
  }
  return taps;
}

std::vector<Tap> TrainedStack::taps(const Tensor& pictures) const {
  std::vector<Tap> all = run(pictures, stages());
  const std::size_t style_taps = static_cast<std::size_t>(stages() - options_.first_style_stage + 1);
  Tensor smaller = pictures;
  for (int scale = 1; scale < options_.scales; ++scale) {
    if (std::min(smaller.size(2), smaller.size(3)) >= 2 * min_size()) {
      smaller = halve(smaller);
      std::vector<Tap> taps = run(smaller, stages());
      for (Tap& tap : taps) {
        if (tap.style.defined()) {
          all.push_back({.style = std::move(tap.style), .content = {}});
        }
      }
    } else {
      all.resize(all.size() + style_taps);
    }
  }
  return all;
}

std::vector<Tensor> TrainedStack::content(const Tensor& pictures) const {
  if (options_.content_stage == 0) {
    return {};
  }
  return {run(pictures, options_.content_stage).back().content};
}

NamedTensors load_stack_weights(const std::string& path) {
  const SafetensorsReader reader(path);
  NamedTensors weights;
  for (const std::string& name : reader.names()) {
    weights.emplace_back(name, reader.load(name).to(float32));
  }
  try {
    TrainedStack{weights, {.content_stage = 0}};
  } catch (const ArgumentError& error) {
    throw FileError(concat_text(path, ": ", error.what(), "; name a file that train-loss-network wrote"));
  }
  return weights;
}

NamedTensors normalize_channels(const NamedTensors& weights, const Tensor& pictures) {
  const NoGradGuard no_grad;
  NamedTensors normalized;
  Tensor x = input_of(pictures);
  Tensor means;  // (C): of the scaled channels before, what the inputs must be multiplied by
  int stage = 1;
  for (std::size_t i = 0; i < weights.size(); i += 2) {
    const auto& [key, weight] = weights[i];
    if (const int its = std::stoi(key.substr(4)); its > stage) {  // "conv3_1.weight"
      stage = its;
      x = halve(x);
    }
    const Tensor inputs_scaled =
        means.defined() ? weight * means.reshape({1, weight.size(1), 1, 1}) : weight.clone();
    const Tensor bias = weights[i + 1].second;
    const Tensor result = convolve(x, inputs_scaled, bias);
    std::vector<double> mean_of = mean(result, {0, 2, 3}).to_vector();
    for (double& m : mean_of) {
      m = m > 1e-6 ? m : 1;
    }
    means = Tensor::from(mean_of, {weight.size(0)}, weight.dtype());
    normalized.emplace_back(key, inputs_scaled / means.reshape({weight.size(0), 1, 1, 1}));
    normalized.emplace_back(weights[i + 1].first, bias / means);
    x = result / means.reshape({1, weight.size(0), 1, 1});
  }
  return normalized;
}

}  // namespace gesso
