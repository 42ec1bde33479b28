#include "model_file.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "gesso/core/safetensors.h"
#include "settings.h"

namespace gesso {
namespace {

// The parameters that F16 can hold. Running statistics, which may be tiny or large, keep their digits.
std::set<std::string> halved(const StyleNetwork& network) {
  constexpr double largest = 65504;
  std::set<std::string> names;
  for (const auto& [name, parameter] : network.named_parameters()) {
    const std::vector<double> values = parameter.to_vector();
    if (std::all_of(values.begin(), values.end(), [](double v) { return std::abs(v) <= largest; })) {
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
  const auto inside = std::filesystem::path(path).lexically_normal().lexically_relative(GESSO_ASSETS_DIR);
  return inside.empty() || *inside.begin() == ".." ? path : kAssets + inside.generic_string();
}

std::string local(const std::string& path) {
  return path.starts_with(kAssets) ? GESSO_ASSETS_DIR "/" + path.substr(kAssets.size()) : path;
}

}  // namespace

void save_style_network(const std::string& path, const StyleNetwork& network, const TrainSettings& settings) {
  Metadata metadata = with_paths(settings, portable).to_metadata();
  metadata["format"] = "gesso style network 1";
  const StateDict state = network.state_dict();
  std::set<std::string> counters;
  for (const auto& [name, tensor] : state) {
    if (name.ends_with("num_batches_tracked")) {
      counters.insert(name);
    }
  }
  save_safetensors(path, state, metadata, counters, halved(network));
}

LoadedStyleNetwork load_style_network(const std::string& path) {
  const SafetensorsFile file = load_safetensors(path);
  const auto format = file.metadata.find("format");
  if (format == file.metadata.end() || format->second != "gesso style network 1") {
    throw FileError(concat_text(
        path, ": it is a safetensors file, but not a style network that style-transfer train wrote"));
  }
  try {
    LoadedStyleNetwork loaded;
    loaded.settings = with_paths(TrainSettings::from_metadata(file.metadata), local);
    Generator rng;  // for initial values that are replaced at once
    loaded.network = std::make_unique<StyleNetwork>(loaded.settings.network, rng);
    loaded.network->load_state_dict(file.tensors);
    loaded.network->eval();
    return loaded;
  } catch (const ArgumentError& error) {
    throw FileError(concat_text(path, ": ", error.what()));
  }
}

}  // namespace gesso
