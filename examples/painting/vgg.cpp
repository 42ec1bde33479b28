#include "vgg.h"

#include <algorithm>
#include <cmath>

#include "gesso/autograd/convolution.h"
#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/pooling.h"

namespace gesso {
namespace {

// Mean and standard deviation of ImageNet's colours, which the networks were trained with.
const std::vector<double> kMean = {0.485, 0.456, 0.406};
const std::vector<double> kDeviation = {0.229, 0.224, 0.225};

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

const Tensor* find(const NamedTensors& tensors, const std::string& key) {
  const auto found =
      std::find_if(tensors.begin(), tensors.end(), [&](const auto& entry) { return entry.first == key; });
  return found == tensors.end() ? nullptr : &found->second;
}

Tensor parameter(const NamedTensors& weights, const std::string& key, const Shape& shape, int depth) {
  const Tensor* tensor = find(weights, key);
  require(tensor != nullptr, "VGG", depth, ": ", key, " is missing; give it torchvision's weights of VGG",
          depth);
  require(tensor->shape() == shape, "VGG", depth, ": ", key, " has shape ", tensor->shape(), ", not ", shape,
          "; are these the weights of VGG", depth, "?");
  return tensor->detach();
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
  const SafetensorsReader reader(path);
  NamedTensors weights;
  const auto load = [&](const std::string& key, const Shape& shape) {
    if (!reader.contains(key)) {
      throw FileError(concat_text(path, ": it has no tensor ", key, "; it must hold VGG", options.depth,
                                  " under torchvision's names"));
    }
    if (reader.entry(key).shape != shape) {
      throw FileError(concat_text(path, ": ", key, " has shape ", reader.entry(key).shape, ", not ", shape,
                                  "; are these the weights of VGG", options.depth, "?"));
    }
    weights.emplace_back(key, reader.load(key).to(float32));
  };
  for (const VggLayer& layer : vgg_layers(options)) {
    load(layer.key + ".weight", layer.weight_shape());
    load(layer.key + ".bias", {layer.out});
  }
  return weights;
}

NamedTensors random_vgg_weights(const VggOptions& options, Generator& rng) {
  NamedTensors weights;
  for (const VggLayer& layer : vgg_layers(options)) {
    Tensor weight = Tensor::randn(layer.weight_shape(), rng);
    weight.mul_(std::sqrt(2.0 / static_cast<double>(9 * layer.in)));
    weights.emplace_back(layer.key + ".weight", weight);
    weights.emplace_back(layer.key + ".bias", Tensor::zeros({layer.out}));
  }
  return weights;
}

Vgg::Vgg(const VggOptions& options, const NamedTensors& weights) {
  for (const VggLayer& layer : vgg_layers(options)) {
    layers_.push_back({layer, parameter(weights, layer.key + ".weight", layer.weight_shape(), options.depth),
                       parameter(weights, layer.key + ".bias", {layer.out}, options.depth)});
    if (layer.content) {
      content_layers_ = layers_.size();
    }
  }
}

// The taps among the first `layers` layers.
std::vector<Tap> Vgg::run(const Tensor& pictures, std::size_t layers) const {
  require(pictures.rank() == 4 && pictures.size(1) == 3 && pictures.size(2) >= min_size() &&
              pictures.size(3) >= min_size(),
          "VGG: pictures have shape ", pictures.shape(),
          "; they must be (N, 3, H, W) with H and W of at least ", min_size());
  const Shape colour = {1, 3, 1, 1};
  Tensor x = (pictures - Tensor::from(kMean, colour, pictures.dtype())) /
             Tensor::from(kDeviation, colour, pictures.dtype());
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
