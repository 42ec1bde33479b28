#include "classifier.h"

#include <cmath>

#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/autograd/pooling.h"
#include "gesso/autograd/reduce.h"

namespace gesso {

namespace {
const std::vector<std::vector<Index>> kStages = {{32, 32}, {64, 64}, {128, 128}, {128}};
}  // namespace

Classifier::Classifier(Index pictures, Generator& rng) {
  Index channels = 3;
  for (std::size_t stage = 0; stage < kStages.size(); ++stage) {
    for (std::size_t i = 0; i < kStages[stage].size(); ++i) {
      const Index out = kStages[stage][i];
      const Conv2dOptions same{.padding = 1, .bias = false, .padding_mode = PaddingMode::reflect};
      Layer layer{concat_text(stage + 1, "_", i + 1), stage > 0 && i == 0,
                  std::make_unique<Conv2d>(channels, out, 3, same, rng), std::make_unique<BatchNorm2d>(out)};
      layer.norm->then(Activation::relu);
      register_module("conv" + layer.name, *layer.convolution);
      register_module("norm" + layer.name, *layer.norm);
      layers_.push_back(std::move(layer));
      channels = out;
    }
  }
  head_ = std::make_unique<Linear>(channels, pictures, LinearOptions{}, rng);
  register_module("head", *head_);
}

Tensor Classifier::forward(const Tensor& crops) {
  Tensor x = crops - 0.5;
  for (const Layer& layer : layers_) {
    if (layer.pooled) {
      x = avg_pool2d(x, {.kernel = 2});
    }
    x = (*layer.norm)((*layer.convolution)(x));
  }
  return (*head_)(mean(x, {2, 3}));
}

NamedTensors Classifier::folded() const {
  const NoGradGuard no_grad;
  NamedTensors weights;
  for (const Layer& layer : layers_) {
    const BatchNorm2d& norm = *layer.norm;
    const Tensor scale = norm.weight.detach() / sqrt(norm.running_var + norm.eps());
    const Tensor weight = layer.convolution->weight.detach();
    weights.emplace_back("conv" + layer.name + ".weight", weight * scale.reshape({scale.numel(), 1, 1, 1}));
    weights.emplace_back("conv" + layer.name + ".bias", norm.bias.detach() - scale * norm.running_mean);
  }
  return weights;
}

}  // namespace gesso
