#include "model_file.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <set>

#include "gesso/core/files/weights.h"
#include "program/assets.h"
#include "settings.h"
#include "torch_style_network.h"

namespace gesso {
namespace {

// The parameters that F16 can hold. Running statistics, which may be tiny or large, keep their digits.
std::set<std::string> halved(const Module& network) {
  std::set<std::string> names;
  for (const auto& [name, parameter] : network.named_parameters()) {
    if (fits_float16(parameter)) {
      names.insert(name);
    }
  }
  return names;
}

// Calls change(path) for every path in the settings.
template <class Change>
TrainSettings with_paths(TrainSettings settings, Change change) {
  for (std::string& style : settings.styles) {
    style = change(style);
  }
  settings.content = change(settings.content);
  settings.loss_network.weights = change(settings.loss_network.weights);
  return settings;
}

// The pictures that come with gesso are called assets:styles/... in a model file, so that it means them on
// every machine.
const std::string kAssets = "assets:";

std::string portable(const std::string& path) {
  const auto inside = std::filesystem::path(path).lexically_normal().lexically_relative(assets_folder());
  return inside.empty() || *inside.begin() == ".." ? path : kAssets + inside.generic_string();
}

std::string local(const std::string& path) {
  return path.starts_with(kAssets) ? assets_folder() + "/" + path.substr(kAssets.size()) : path;
}

constexpr const char* kStyleNetwork = "gesso style network 1";
constexpr const char* kAnyStyleNetwork = "gesso any-style network 1";

// The file, which must be of this format.
SafetensorsFile load_format(const std::string& path, const std::string& format) {
  SafetensorsFile file = load_safetensors(path);
  const auto found = file.metadata.find("format");
  const std::string its = found == file.metadata.end() ? "" : found->second;
  if (its == format) {
    return file;
  }
  throw FileError(
      its == kAnyStyleNetwork
          ? path + ": it is a network for any style; name a picture to paint like by --any-style"
      : its == kStyleNetwork
          ? path +
                ": it is a network of chosen styles, without --any-style; "
                "style-transfer train-any trains one for any style"
          : path + ": it is a safetensors file, but not a style network that style-transfer train wrote");
}

// A network that another program wrote, in a file of PyTorch's or as safetensors.
bool is_foreign(const WeightsReader& file) {
  const auto format = file.metadata().find("format");
  const bool ours = format != file.metadata().end() && format->second.starts_with("gesso");
  return file.is_torch() || (!ours && is_torch_style_network(file));
}

// Throws unless the file has a network with these options: a file of a few bytes may claim one of many gigabytes.
void require_network(const SafetensorsFile& file, const StyleNetworkOptions& options,
                     const std::string& prefix = "") {
  std::map<std::string, Shape> shapes;
  for (const auto& [name, tensor] : file.tensors) {
    shapes.emplace(name, tensor.shape());
  }
  for (const auto& [name, shape] : style_network_parameters(options)) {
    const auto found = shapes.find(prefix + name);
    require(found != shapes.end(), "its metadata say width ", options.width, ", ", options.blocks,
            " blocks and ", options.styles, " styles, but it has no ", prefix, name);
    require(found->second == shape, "its metadata say width ", options.width, ", ", options.blocks,
            " blocks and ", options.styles, " styles, but ", prefix, name, " has shape ", found->second,
            " and not ", shape);
  }
}

}  // namespace

void save_style_network(const std::string& path, const StyleNetwork& network, const TrainSettings& settings) {
  Metadata metadata = with_paths(settings, portable).to_metadata();
  metadata["format"] = kStyleNetwork;
  const StateDict state = network.state_dict();
  std::set<std::string> counters;
  for (const auto& [name, tensor] : state) {
    if (name.ends_with("num_batches_tracked")) {
      counters.insert(name);
    }
  }
  save_safetensors(path, state, metadata, {.int64 = counters, .float16 = halved(network), .checksum = true});
}

LoadedStyleNetwork load_style_network(const std::string& path) {
  if (const WeightsReader reader(path); is_foreign(reader)) {
    LoadedStyleNetwork loaded;
    loaded.network = load_torch_style_network(reader, path);
    loaded.settings.network = loaded.network->options();
    loaded.settings.styles = {std::filesystem::path(path).filename().string()};
    return loaded;
  }
  const SafetensorsFile file = load_format(path, kStyleNetwork);
  try {
    LoadedStyleNetwork loaded;
    loaded.settings = with_paths(TrainSettings::from_metadata(file.metadata), local);
    require_network(file, loaded.settings.network);
    Generator rng;  // for initial values that are replaced at once
    loaded.network = std::make_unique<StyleNetwork>(loaded.settings.network, rng);
    loaded.network->load_state_dict(file.tensors);
    loaded.network->eval();
    return loaded;
  } catch (const ArgumentError& error) {
    throw FileError(concat_text(path, ": ", error.what()));
  }
}

void save_any_style_network(const std::string& path, const AnyStyleNetwork& network,
                            const AnyStyleSettings& settings) {
  Metadata metadata = settings.to_metadata();
  metadata["format"] = kAnyStyleNetwork;
  save_safetensors(path, network.state_dict(), metadata, {.float16 = halved(network), .checksum = true});
}

LoadedAnyStyleNetwork load_any_style_network(const std::string& path) {
  const SafetensorsFile file = load_format(path, kAnyStyleNetwork);
  try {
    LoadedAnyStyleNetwork loaded;
    loaded.settings = AnyStyleSettings::from_metadata(file.metadata);
    const AnyStyleOptions& options = loaded.settings.network;
    require_network(file, {.width = options.width, .blocks = options.blocks, .styles = 1 + options.manners},
                    "network.");
    Generator rng;  // for initial values that are replaced at once
    loaded.network = std::make_unique<AnyStyleNetwork>(loaded.settings.network, rng);
    loaded.network->load_state_dict(file.tensors);
    loaded.network->eval();
    return loaded;
  } catch (const ArgumentError& error) {
    throw FileError(concat_text(path, ": ", error.what()));
  }
}

}  // namespace gesso
