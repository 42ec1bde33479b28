#include "squeezenet.h"

#include <algorithm>

#include "gesso/autograd/convolution.h"
#include "gesso/autograd/padding.h"
#include "gesso/autograd/pooling.h"

namespace gesso {
namespace {

std::string name_of(const SqueezeNetOptions& options) { return concat_text("SqueezeNet 1.", options.minor); }

// `p`: the layer's parameters, in the order of squeezenet_layer_parameters().
Tensor compute(const SqueezeNetLayer& layer, const std::vector<Tensor>& p, const Tensor& x) {
  return squeezenet_layer(layer, x, [&](std::size_t k, const Tensor& input) {
    const Tensor& weight = p[2 * k];
    return conv2d(input, weight, p[2 * k + 1],
                  {.stride = layer.squeezed == 0 ? 2 : 1,
                   .padding = weight.size(2) / 2,
                   .padding_mode = PaddingMode::reflect},
                  Activation::relu);
  });
}

}  // namespace

Tensor squeezenet_pool(const Tensor& x) {
  return max_pool2d(x, {.kernel = 3, .stride = 2, .ceil_mode = true});
}

std::vector<SqueezeNetLayer> squeezenet_layers(const SqueezeNetOptions& options) {
  require(options.minor == 0 || options.minor == 1, "SqueezeNet: version 1.", options.minor,
          " is not 1.0 or 1.1");
  require(options.fires >= 6 && options.fires <= 9, "SqueezeNet: fires is ", options.fires,
          "; it must be from 6 to 9");
  const bool first = options.minor == 0;
  std::vector<SqueezeNetLayer> layers = {
      {"conv1", "features.0", 3, 0, first ? 96 : 64, first ? 7 : 3, false, true, false}};
  int feature = 2;  // torchvision counts convolutions, ReLUs, poolings and fire modules
  for (int fire = 2; fire <= options.fires; ++fire) {
    const bool pooled = fire == 2 || fire == (first ? 5 : 4) || fire == (first ? 9 : 6);
    feature += pooled ? 1 : 0;
    const Index squeezed = 16 * (fire / 2);
    layers.push_back({concat_text("fire", fire), concat_text("features.", feature), layers.back().out,
                      squeezed, 8 * squeezed, 3, pooled, fire <= 6 && fire != 5, false});
    ++feature;
  }
  std::string known;
  bool found = false;
  for (SqueezeNetLayer& layer : layers) {
    layer.content = layer.name == options.content_layer;
    found = found || layer.content;
    known += (known.empty() ? "" : ", ") + layer.name;
  }
  require(found, "content-layer: ", name_of(options), " has no layer '", options.content_layer, "'; it has ",
          known);
  return layers;
}

ParameterShapes squeezenet_layer_parameters(const SqueezeNetLayer& layer) {
  const auto convolution = [&](const std::string& key, Index in, Index out, Index kernel) {
    return ParameterShapes{{key + ".weight", {out, in, kernel, kernel}}, {key + ".bias", {out}}};
  };
  if (layer.squeezed == 0) {
    return convolution(layer.key, layer.in, layer.out, layer.kernel);
  }
  ParameterShapes all = convolution(layer.key + ".squeeze", layer.in, layer.squeezed, 1);
  for (const Index kernel : {1, 3}) {
    const std::string key = concat_text(layer.key, ".expand", kernel, "x", kernel);
    const ParameterShapes half = convolution(key, layer.squeezed, layer.out / 2, kernel);
    all.insert(all.end(), half.begin(), half.end());
  }
  return all;
}

ParameterShapes squeezenet_parameters(const SqueezeNetOptions& options) {
  ParameterShapes all;
  for (const SqueezeNetLayer& layer : squeezenet_layers(options)) {
    const ParameterShapes its = squeezenet_layer_parameters(layer);
    all.insert(all.end(), its.begin(), its.end());
  }
  return all;
}

NamedTensors load_squeezenet_weights(const std::string& path, const SqueezeNetOptions& options) {
  return load_torchvision_weights(path, name_of(options), squeezenet_parameters(options));
}

SqueezeNet::SqueezeNet(const SqueezeNetOptions& options, const NamedTensors& weights)
    : name_(name_of(options)), layers_(squeezenet_layers(options)) {
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    parameters_.push_back(torchvision_parameters(weights, name_, squeezenet_layer_parameters(layers_[i])));
    content_layers_ = layers_[i].content ? i + 1 : content_layers_;
  }
}

std::vector<Tensor> SqueezeNet::run(const Tensor& pictures, std::size_t layers) const {
  Tensor x = imagenet_colours(pictures, name_, min_size());
  std::vector<Tensor> all;
  for (std::size_t i = 0; i < layers; ++i) {
    x = compute(layers_[i], parameters_[i], x);
    all.push_back(x);
  }
  return all;
}

std::vector<Tensor> SqueezeNet::features(const Tensor& pictures) const {
  return run(pictures, layers_.size());
}

std::vector<Tap> SqueezeNet::taps(const Tensor& pictures) const {
  const std::vector<Tensor> all = features(pictures);
  std::vector<Tap> taps = {{.style = pictures, .content = {}}};
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (layers_[i].style || layers_[i].content) {
      taps.push_back(
          {.style = layers_[i].style ? all[i] : Tensor(), .content = layers_[i].content ? all[i] : Tensor()});
    }
  }
  if (std::min(pictures.size(2), pictures.size(3)) < 2 * min_size()) {
    taps.resize(taps.size() + layers_.size());
    return taps;
  }
  for (const Tensor& features : this->features(avg_pool2d(pictures, {.kernel = 2}))) {
    taps.push_back({.style = features, .content = {}});
  }
  return taps;
}

std::vector<Tensor> SqueezeNet::content(const Tensor& pictures) const {
  return {run(pictures, content_layers_).back()};
}

}  // namespace gesso
