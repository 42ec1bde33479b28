// What a training run is made of, and its two forms: the metadata of files, and a table for people.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "gesso/training/settings.h"
#include "loss_network.h"
#include "losses.h"
#include "style_network.h"

namespace gesso {

/// What people call a style picture: its file name without folder and ending.
std::string style_name(const std::string& file);

/// The settings that every training of painters has, whether of chosen styles or of all.
template <class Settings>
SettingList painting_settings(Settings& s) {
  return {{"content", &s.content},
          {"width", &s.network.width, 1, 512},
          {"blocks", &s.network.blocks, 0, 64},
          {"steps", &s.steps, 1, 1e7},
          {"batch", &s.batch, 1, 64},
          {"crop", &s.crop, 32, 2048},
          {"learning_rate", &s.learning_rate, 1e-7, 1, "lr"},
          {"content_weight", &s.weights.content, 0, 1e6},
          {"style_weight", &s.weights.style, 0, 1e6},
          {"tv_weight", &s.weights.tv, 0, 1e6},
          {"range_weight", &s.weights.range, 0, 1e6},
          {"loss_network", &s.loss_network.name},
          {"loss_weights", &s.loss_network.weights},
          {"content_layer", &s.loss_network.content_layer},
          {"seed", &s.seed}};
}

/// The settings of a training run. The defaults are a small training; see presets.h for larger ones.
struct TrainSettings {
  std::vector<std::string> styles;  ///< files of the style pictures
  /// Row 0 of the network learns to leave photographs as they are, so that the strength of a style can be
  /// chosen afterwards, by mixing its row with this one. Every eighth photograph is spent on it.
  bool strength = false;
  std::string content;  ///< folder of photographs
  StyleNetworkOptions network{.width = 16, .blocks = 3};
  Index steps = 600;
  Index batch = 4;              ///< photographs a step
  Index crop = 128;             ///< side of the square crops that are trained on, pixels
  Index style_size = 256;       ///< the style picture's short side, pixels: larger makes larger strokes
  double learning_rate = 2e-3;  ///< the highest: reached after a warm-up, lowered along a cosine
  /// How many styles, the last ones, are being added to a network that is already trained: only their rows of
  /// gamma and beta change. 0: everything is trained.
  int added_styles = 0;
  LossWeights weights;
  std::string style_loss = "gram";  ///< what of the features is the style: see style_statistic()
  LossNetworkOptions loss_network;
  std::uint64_t seed = 1;

  /// The row of gamma and beta of style `s` in the network, which has network.styles rows in all.
  Index row_of_style(Index s) const { return s + (strength ? 1 : 0); }
  /// Sets network.styles from the styles and `strength`.
  void count_rows();

  /// Throws ArgumentError naming the setting that is out of range.
  void check() const;
  /// Every setting as text: what model files and checkpoints keep, and reports show.
  std::map<std::string, std::string> to_metadata() const;
  /// The opposite. Throws ArgumentError naming what is missing, unreadable or out of range; whether there is
  /// such a loss network is not asked, as painting needs none and models outlive them.
  static TrainSettings from_metadata(const std::map<std::string, std::string>& metadata);

 private:
  void check_painting() const;  // all but the losses
};

}  // namespace gesso
