// The training of a network on chosen styles: what it is made of, and the losses of a step.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gesso/training/picture_folder.h"
#include "loss_network.h"
#include "losses.h"
#include "settings.h"
#include "style_network.h"
#include "style_training.h"

namespace gesso {

class TrainingRun : public StyleTraining {
 public:
  /// Loads the style pictures and opens the folder of photographs. Throws ArgumentError for impossible
  /// settings and FileError for pictures that cannot be read.
  explicit TrainingRun(const TrainSettings& settings);
  /// The same over the given photographs instead of all in the folder.
  TrainingRun(const TrainSettings& settings, std::vector<std::string> photographs);

  /// For added styles: begins with the weights of `base`, a network of the styles before them (a new style
  /// begins as the mean of the others). Throws ArgumentError when they do not fit.
  void start_from(const StateDict& base);

  const TrainSettings& settings() const { return settings_; }
  StyleNetwork& network() { return network_; }
  /// The style pictures at the size they are imitated, each (1, 3, H, W).
  const std::vector<Tensor>& style_pictures() const { return styles_; }
  PictureFolder& photographs() { return photographs_; }
  const PictureFolder& photographs() const { return photographs_; }
  std::vector<std::string> take_warnings() override { return photographs_.take_warnings(); }

 protected:
  // The photographs of the batch, in the styles by turns.
  Losses losses_of_next_batch() override;
  Module& model() override { return network_; }
  const Module& model() const override { return network_; }
  std::map<std::string, std::string> metadata() const override;
  void set_positions(const std::map<std::string, std::string>& metadata) override;

 private:
  // The style of each photograph of the next batch, or kNoStyle.
  std::vector<Index> styles_of_next_batch() const;

  TrainSettings settings_;
  Generator rng_;
  StyleNetwork network_;
  std::unique_ptr<LossNetwork> loss_network_;
  std::vector<Tensor> styles_;
  StyleTarget target_;
  PictureFolder photographs_;
};

}  // namespace gesso
