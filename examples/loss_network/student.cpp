#include "student.h"

#include <algorithm>

#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"

namespace gesso {

Student::Student(Generator& rng) {
  for (const SqueezeNetLayer& shape : squeezenet_layers({})) {
    Layer layer{shape, {}};
    const ParameterShapes parameters = squeezenet_layer_parameters(shape);
    for (std::size_t i = 0; i < parameters.size(); i += 2) {  // each weight; batch norm has the bias
      const auto& [name, weight] = parameters[i];
      const std::string key = name.substr(0, name.rfind('.'));
      layer.convolutions.push_back(
          make(key, weight[1], weight[0], weight[2], shape.squeezed == 0 ? 2 : 1, rng));
    }
    layers_.push_back(std::move(layer));
  }
}

Student::Convolution Student::make(const std::string& key, Index in, Index out, Index kernel, Index stride,
                                   Generator& rng) {
  const Conv2dOptions options{
      .stride = stride, .padding = kernel / 2, .bias = false, .padding_mode = PaddingMode::reflect};
  Convolution made{key, std::make_unique<Conv2d>(in, out, kernel, options, rng),
                   std::make_unique<BatchNorm2d>(out)};
  made.norm->then(Activation::relu);
  std::string name = key;
  std::replace(name.begin(), name.end(), '.', '_');
  register_module(name, *made.convolution);
  register_module(name + "_norm", *made.norm);
  return made;
}

std::vector<Tensor> Student::features(const Tensor& pictures) {
  Tensor x = imagenet_colours(pictures, "student", 32);
  std::vector<Tensor> all;
  for (Layer& layer : layers_) {
    x = squeezenet_layer(layer.shape, x,
                         [&](std::size_t k, const Tensor& input) { return layer.convolutions[k](input); });
    all.push_back(x);
  }
  return all;
}

void Student::freeze_statistics() {
  for (Layer& layer : layers_) {
    for (Convolution& each : layer.convolutions) {
      each.norm->set_statistics(Statistics::running);
    }
  }
}

NamedTensors Student::folded(const std::vector<Tensor>& scales) const {
  const NoGradGuard no_grad;
  require(scales.size() == layers_.size(), "Student::folded: ", scales.size(), " scales for ", layers_.size(),
          " layers");
  NamedTensors weights;
  Tensor of_input;  // (in): what the layer's input is scaled by
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const auto& [shape, convolutions] = layers_[i];
    require(scales[i].shape() == Shape({shape.out}), "Student::folded: the scales of ", shape.name,
            " have shape ", scales[i].shape(), ", not (", shape.out, ")");
    for (const double scale : scales[i].to_vector()) {
      require(scale > 0, "Student::folded: a scale of ", shape.name, " is ", scale, "; it must be above 0");
    }
    Index made = 0;  // channels of the layer's result so far
    for (std::size_t k = 0; k < convolutions.size(); ++k) {
      const auto& [key, convolution, norm] = convolutions[k];
      Tensor scale = norm->weight.detach() / sqrt(norm->running_var + norm->eps());
      Tensor weight = convolution->weight.detach() * scale.reshape({scale.numel(), 1, 1, 1});
      Tensor bias = norm->bias.detach() - scale * norm->running_mean;
      if (k == 0 && of_input.defined()) {
        weight = weight / of_input.reshape({1, of_input.numel(), 1, 1});
      }
      if (k > 0 || convolutions.size() == 1) {
        const Tensor own = scales[i].slice(made, made + scale.numel());
        weight = weight * own.reshape({own.numel(), 1, 1, 1});
        bias = bias * own;
        made += own.numel();
      }
      weights.emplace_back(key + ".weight", weight);
      weights.emplace_back(key + ".bias", bias);
    }
    of_input = scales[i];
  }
  return weights;
}

}  // namespace gesso
