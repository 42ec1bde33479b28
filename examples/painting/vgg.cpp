#include "vgg.h"

#include <algorithm>

#include "caffe_vgg.h"
#include "gesso/autograd/convolution.h"
#include "gesso/autograd/pooling.h"
#include "torchvision_weights.h"

namespace gesso {
namespace {

struct Block {
  Index channels;
  int layers16, layers19;
};
constexpr Block kBlocks[] = {{64, 2, 2}, {128, 2, 2}, {256, 3, 4}, {512, 3, 4}, {512, 3, 4}};

bool is_style_tap(int depth, const std::string& name) {
  static const std::vector<std::string> taps16 = {"relu1_2", "relu2_2", "relu3_3", "relu4_3"};
  static const std::vector<std::string> taps19 = {"relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"};
  const std::vector<std::string>& taps = depth == 16 ? taps16 : taps19;
  return std::find(taps.begin(), taps.end(), name) != taps.end();
}

std::vector<VggLayer> all_layers(int depth) {
  require(depth == 16 || depth == 19, "VGG: depth ", depth, " is not 16 or 19");
  std::vector<VggLayer> layers;
  Index in = 3;
  int feature = 0;  // torchvision counts convolutions, ReLUs and poolings
  for (int block = 1; block <= 5; ++block) {
    const Block& b = kBlocks[block - 1];
    for (int i = 1; i <= (depth == 16 ? b.layers16 : b.layers19); ++i) {
      const std::string name = concat_text("relu", block, "_", i);
      layers.push_back({.name = name,
                        .key = concat_text("features.", feature),
                        .in = in,
                        .out = b.channels,
                        .pooled = block > 1 && i == 1,
                        .style = is_style_tap(depth, name)});
      in = b.channels;
      feature += 2;
    }
    ++feature;
  }
  return layers;
}

std::string name_of(const VggOptions& options) { return concat_text("VGG", options.depth); }

ParameterShapes parameter_shapes(const VggOptions& options) {
  ParameterShapes shapes;
  for (const VggLayer& layer : vgg_layers(options)) {
    shapes.emplace_back(layer.key + ".weight", layer.weight_shape());
    shapes.emplace_back(layer.key + ".bias", Shape{layer.out});
  }
  return shapes;
}

}  // namespace

std::vector<VggLayer> vgg_layers(const VggOptions& options) {
  std::vector<VggLayer> layers = all_layers(options.depth);
  const std::string content = !options.content_layer.empty() ? options.content_layer
                              : options.depth == 16          ? "relu2_2"
                                                             : "relu4_2";
  std::string known;
  std::size_t deepest = 0;
  bool found = false;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    layers[i].content = layers[i].name == content;
    found = found || layers[i].content;
    known += (i > 0 ? ", " : "") + layers[i].name;
    if (layers[i].style || layers[i].content) {
      deepest = i;
    }
  }
  require(found, "content-layer: VGG", options.depth, " has no layer '", content, "'; it has ", known);
  layers.resize(deepest + 1);
  return layers;
}

NamedTensors load_vgg_weights(const std::string& path, const VggOptions& options) {
  const WeightsReader reader(path);
  if (!is_caffe_vgg(reader)) {
    return load_torchvision_weights(reader, path, name_of(options), parameter_shapes(options));
  }
  ParameterShapes theirs = parameter_shapes(options);
  const ParameterShapes ours = theirs;
  if (reader.contains(caffe_name("relu1_1", "weight"))) {
    std::size_t next = 0;
    for (const VggLayer& layer : vgg_layers(options)) {
      theirs[next++].first = caffe_name(layer.name, "weight");
      theirs[next++].first = caffe_name(layer.name, "bias");
    }
  }
  NamedTensors weights = load_torchvision_weights(reader, path, name_of(options), theirs);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    weights[i].first = ours[i].first;
  }
  from_caffe(weights[0].second, weights[1].second);
  return weights;
}

NamedTensors random_vgg_weights(const VggOptions& options, Generator& rng) {
  return random_torchvision_weights(parameter_shapes(options), rng);
}

Vgg::Vgg(const VggOptions& options, const NamedTensors& weights) : name_(name_of(options)) {
  const std::vector<Tensor> parameters = torchvision_parameters(weights, name_, parameter_shapes(options));
  for (const VggLayer& layer : vgg_layers(options)) {
    const std::size_t first = 2 * layers_.size();
    layers_.push_back({layer, parameters[first], parameters[first + 1]});
    if (layer.content) {
      content_layers_ = layers_.size();
    }
  }
}

// The taps among the first `layers` layers.
std::vector<Tap> Vgg::run(const Tensor& pictures, std::size_t layers) const {
  Tensor x = imagenet_colours(pictures, name_, min_size());
  std::vector<Tap> taps;
  for (std::size_t i = 0; i < layers; ++i) {
    const auto& [layer, weight, bias] = layers_[i];
    if (layer.pooled) {
      x = max_pool2d(x, {.kernel = 2});
    }
    x = conv2d(x, weight, bias, {.padding = 1}, Activation::relu);
    if (layer.style || layer.content) {
      taps.push_back({.style = layer.style ? x : Tensor(), .content = layer.content ? x : Tensor()});
    }
  }
  return taps;
}

std::vector<Tap> Vgg::taps(const Tensor& pictures) const { return run(pictures, layers_.size()); }

std::vector<Tensor> Vgg::content(const Tensor& pictures) const {
  return {run(pictures, content_layers_).back().content};
}

}  // namespace gesso
