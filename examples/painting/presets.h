// How long to train, and how large a network, in one word.
#pragma once

#include <string>
#include <vector>

#include "settings.h"

namespace gesso {

/// "quick", "standard", "best".
std::vector<std::string> preset_names();

/// For --help: what each preset is and how long it takes.
std::string describe_presets();

/// Sets in `settings` what the preset `name` decides: the network's width, blocks and noise, steps, batch,
/// crop, style_size and the loss network. Throws ArgumentError, listing the known presets, for an unknown
/// name.
void apply_preset(const std::string& name, TrainSettings& settings);

}  // namespace gesso
