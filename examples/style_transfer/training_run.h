// One training run: what it is made of, one step of it, and how it is saved and resumed.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "gesso/training/adam.h"
#include "gesso/training/checkpoint.h"
#include "gesso/training/picture_folder.h"
#include "loss_network.h"
#include "losses.h"
#include "settings.h"
#include "style_network.h"

namespace gesso {

class TrainingRun {
 public:
  /// Loads the style picture and opens the folder of photographs. Throws ArgumentError for impossible
  /// settings and FileError for pictures that cannot be read.
  explicit TrainingRun(const TrainSettings& settings);
  /// The same over the given photographs instead of all in the folder.
  TrainingRun(const TrainSettings& settings, std::vector<std::string> photographs);

  /// Trains on the next batch and returns its losses before the step. `with_gradients`, if given, is called
  /// when the gradients are there and the weights are still those of the losses. Throws Error when the loss
  /// is no finite number.
  Losses step(const std::function<void()>& with_gradients = {});
  std::int64_t steps_done() const { return steps_done_; }
  /// Of the next step.
  double learning_rate() const;

  /// Saves all that the next steps depend on. After resume() the run goes on as if it had never stopped, bit
  /// for bit.
  void save(const std::filesystem::path& folder) const;
  void resume(const Checkpoint& checkpoint);

  const TrainSettings& settings() const { return settings_; }
  StyleNetwork& network() { return network_; }
  /// The style picture at the size it is imitated, (1, 3, H, W).
  const Tensor& style_picture() const { return style_; }
  PictureFolder& photographs() { return photographs_; }

 private:
  TrainSettings settings_;
  Generator rng_;
  StyleNetwork network_;
  std::unique_ptr<LossNetwork> loss_network_;
  Tensor style_;
  StyleTarget target_;
  PictureFolder photographs_;
  Adam optimizer_;
  std::int64_t steps_done_ = 0;
};

}  // namespace gesso
