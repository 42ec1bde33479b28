// A trained style network as one safetensors file: the weights under PyTorch's keys, all settings in the
// metadata, so that stylising needs nothing but the file.
#pragma once

#include <memory>
#include <string>

#include "any_style_training.h"
#include "settings.h"
#include "style_network.h"

namespace gesso {

/// Writes the network's state to `path` (complete or not at all), with `settings` as metadata. Weights are
/// rounded to F16, half the bytes: in a picture painted by a trained network, 3 % of the pixels changed, by 1
/// of 255. (Trainings go on from checkpoints, which keep all digits.) Throws FileError when it cannot be
/// written.
void save_style_network(const std::string& path, const StyleNetwork& network, const TrainSettings& settings);

struct LoadedStyleNetwork {
  std::unique_ptr<StyleNetwork> network;  ///< in eval mode
  TrainSettings settings;                 ///< those it was trained with
};

/// Reads what save_style_network() wrote, or a network of PyTorch's fast_neural_style example (see
/// torch_style_network.h), whose settings are but its shape and, for its style, the file's name. Throws FileError, naming the file, for one that cannot be read or
/// is not a style network, and for weights that do not fit its settings.
LoadedStyleNetwork load_style_network(const std::string& path);

/// The same for a network for every style.
void save_any_style_network(const std::string& path, const AnyStyleNetwork& network,
                            const AnyStyleSettings& settings);

struct LoadedAnyStyleNetwork {
  std::unique_ptr<AnyStyleNetwork> network;  ///< in eval mode
  AnyStyleSettings settings;
};

/// Reads what save_any_style_network() wrote; throws as load_style_network() does.
LoadedAnyStyleNetwork load_any_style_network(const std::string& path);

}  // namespace gesso
