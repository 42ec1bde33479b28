// One training run: what it is made of, one step of it, and how it is saved and resumed.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "gesso/training/adam.h"
#include "gesso/training/checkpoint.h"
#include "gesso/training/log.h"
#include "gesso/training/picture_folder.h"
#include "loss_network.h"
#include "losses.h"
#include "settings.h"
#include "style_network.h"

namespace gesso {

/// The line of log.jsonl for a step: `losses` before it, and the seconds since the training began.
LogEntry log_entry(std::int64_t step, const Losses& losses, double learning_rate, double seconds);

class TrainingRun {
 public:
  /// Loads the style pictures and opens the folder of photographs. Throws ArgumentError for impossible
  /// settings and FileError for pictures that cannot be read.
  explicit TrainingRun(const TrainSettings& settings);
  /// The same over the given photographs instead of all in the folder.
  TrainingRun(const TrainSettings& settings, std::vector<std::string> photographs);

  /// For added styles: begins with the weights of `base`, a network of the styles before them (a new style
  /// begins as the mean of the others). Throws ArgumentError when they do not fit.
  void start_from(const StateDict& base);

  /// Trains on the next batch, its photographs in the styles by turns, and returns its losses before the
  /// step. `with_gradients`, if given, is called when the gradients are there and the weights are still those
  /// of the losses. Throws Error when the loss is no finite number.
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
  /// The style pictures at the size they are imitated, each (1, 3, H, W).
  const std::vector<Tensor>& style_pictures() const { return styles_; }
  PictureFolder& photographs() { return photographs_; }
  const PictureFolder& photographs() const { return photographs_; }

 private:
  // The style of each photograph of the next batch, or kNoStyle.
  std::vector<std::int64_t> styles_of_next_batch() const;

  TrainSettings settings_;
  Generator rng_;
  StyleNetwork network_;
  std::unique_ptr<LossNetwork> loss_network_;
  std::vector<Tensor> styles_;
  StyleTarget target_;
  PictureFolder photographs_;
  Adam optimizer_;
  std::int64_t steps_done_ = 0;
};

}  // namespace gesso
