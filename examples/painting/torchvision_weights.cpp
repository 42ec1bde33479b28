#include "torchvision_weights.h"

#include <algorithm>
#include <cmath>

#include "gesso/autograd/elementwise.h"
#include "gesso/core/generator.h"

namespace gesso {

NamedTensors load_torchvision_weights(const std::string& path, const std::string& network,
                                      const ParameterShapes& parameters) {
  return load_torchvision_weights(WeightsReader(path), path, network, parameters);
}

NamedTensors load_torchvision_weights(const WeightsReader& reader, const std::string& path,
                                      const std::string& network, const ParameterShapes& parameters) {
  NamedTensors weights;
  for (const auto& [key, shape] : parameters) {
    if (!reader.contains(key)) {
      throw FileError(concat_text(path, ": it has no tensor ", key, "; it must hold ", network,
                                  " under torchvision's names"));
    }
    if (const Shape its = reader.shape(key); its != shape) {
      throw FileError(concat_text(path, ": ", key, " has shape ", its, ", not ", shape,
                                  "; are these the weights of ", network, "?"));
    }
    weights.emplace_back(key, reader.load(key).to(float32));
  }
  return weights;
}

std::vector<Tensor> torchvision_parameters(const NamedTensors& weights, const std::string& network,
                                           const ParameterShapes& parameters) {
  std::vector<Tensor> found;
  for (const auto& [key, shape] : parameters) {
    const auto entry = std::find_if(weights.begin(), weights.end(),
                                    [&key = key](const auto& each) { return each.first == key; });
    require(entry != weights.end(), network, ": ", key, " is missing; give it torchvision's weights of ",
            network);
    require(entry->second.shape() == shape, network, ": ", key, " has shape ", entry->second.shape(),
            ", not ", shape, "; are these the weights of ", network, "?");
    found.push_back(entry->second.detach());
  }
  return found;
}

NamedTensors random_torchvision_weights(const ParameterShapes& parameters, Generator& rng) {
  NamedTensors weights;
  for (const auto& [key, shape] : parameters) {
    if (shape.rank() != 4) {
      weights.emplace_back(key, Tensor::zeros(shape));
      continue;
    }
    Tensor weight = Tensor::randn(shape, rng);
    weight.mul_(std::sqrt(2.0 / static_cast<double>(shape[1] * shape[2] * shape[3])));
    weights.emplace_back(key, weight);
  }
  return weights;
}

Tensor imagenet_colours(const Tensor& pictures, const std::string& network, Index least) {
  require(
      pictures.rank() == 4 && pictures.size(1) == 3 && pictures.size(2) >= least && pictures.size(3) >= least,
      network, ": pictures have shape ", pictures.shape(),
      "; they must be (N, 3, H, W) with H and W of at least ", least);
  const Shape colour = {1, 3, 1, 1};
  return (pictures - Tensor::from({0.485, 0.456, 0.406}, colour, pictures.dtype())) /
         Tensor::from({0.229, 0.224, 0.225}, colour, pictures.dtype());
}

}  // namespace gesso
