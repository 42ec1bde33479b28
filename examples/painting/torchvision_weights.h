// What the networks that torchvision publishes have in common: parameters under known names, and pictures in
// ImageNet's mean and deviation.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "gesso/core/files/weights.h"

namespace gesso {

/// The parameters that a network needs, in order: name and shape.
using ParameterShapes = std::vector<std::pair<std::string, Shape>>;

/// Those parameters, in float32, from a file of weights (safetensors, or .pth as torchvision publishes it); others
/// in it, such as the classifier's, are left alone. `network` is the name that errors use, "VGG16" say. Throws FileError, naming the file and the
/// parameter, when one is missing, has another shape or cannot be read.
NamedTensors load_torchvision_weights(const std::string& path, const std::string& network,
                                      const ParameterShapes& parameters);
/// The same from a file that is open; `path` is for errors.
NamedTensors load_torchvision_weights(const WeightsReader& reader, const std::string& path,
                                      const std::string& network, const ParameterShapes& parameters);

/// The same out of `weights`, detached. Throws ArgumentError as load_torchvision_weights() throws FileError.
std::vector<Tensor> torchvision_parameters(const NamedTensors& weights, const std::string& network,
                                           const ParameterShapes& parameters);

/// Parameters for measurements and tests: those of four dimensions are normal with variance 2 / fan-in, which
/// keeps the size of features (He et al. 2015), the others 0.
NamedTensors random_torchvision_weights(const ParameterShapes& parameters, Generator& rng);

/// Pictures (N, 3, H, W) in [0, 1], less the mean of ImageNet's colours, over their standard deviation, as
/// those networks want them; differentiable. Throws ArgumentError, naming `network`, for another shape or a
/// side shorter than `least`.
Tensor imagenet_colours(const Tensor& pictures, const std::string& network, Index least);

}  // namespace gesso
