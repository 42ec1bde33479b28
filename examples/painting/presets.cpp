#include "presets.h"

#include <algorithm>

namespace gesso {
namespace {

struct Preset {
  const char* name;
  const char* takes;  // on the two cores of docs/performance.md
  int width, blocks;
  Index steps, batch, crop, style_size;
  const char* loss_network;
};

constexpr Preset kPresets[] = {
    {"quick", "2 to 3 minutes", 16, 4, 400, 4, 192, 416, "distilled"},
    {"standard", "10 to 15 minutes", 16, 5, 2000, 4, 192, 416, "distilled"},
    {"best", "an hour", 32, 5, 4000, 4, 256, 416, "distilled"},
};

// With none, flat places stay flat: there is nothing to make strokes of.
constexpr double kNoise = 0.1;

}  // namespace

std::vector<std::string> preset_names() {
  std::vector<std::string> names;
  for (const Preset& preset : kPresets) {
    names.emplace_back(preset.name);
  }
  return names;
}

std::string describe_presets() {
  std::string text;
  for (const Preset& p : kPresets) {
    text += concat_text("  ", p.name, std::string(10 - std::string(p.name).size(), ' '), p.takes, ": width ",
                        p.width, ", ", p.blocks, " blocks, ", p.steps, " steps of ", p.batch, " crops of ",
                        p.crop, " pixels, style size ", p.style_size, ", noise ", kNoise, ", loss network ",
                        p.loss_network, "\n");
  }
  return text;
}

void apply_preset(const std::string& name, TrainSettings& settings) {
  const Preset* preset = std::find_if(std::begin(kPresets), std::end(kPresets),
                                      [&](const Preset& each) { return name == each.name; });
  if (preset == std::end(kPresets)) {
    std::string known;
    for (const Preset& each : kPresets) {
      known += concat_text(known.empty() ? "" : ", ", each.name);
    }
    throw ArgumentError(concat_text("preset: unknown preset '", name, "'; known are ", known));
  }
  settings.network.width = preset->width;
  settings.network.blocks = preset->blocks;
  settings.network.noise = kNoise;
  settings.steps = preset->steps;
  settings.batch = preset->batch;
  settings.crop = preset->crop;
  settings.style_size = preset->style_size;
  settings.loss_network.name = preset->loss_network;
}

}  // namespace gesso
