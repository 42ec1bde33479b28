// The training of a network on chosen styles: what it is made of, and the losses of a step.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gesso/training/optim/adam.h"
#include "gesso/training/picture_folder.h"
#include "gesso/training/training_loop.h"
#include "loss_network.h"
#include "losses.h"
#include "settings.h"
#include "style_network.h"

namespace gesso {

class TrainingRun {
 public:
  /// Each style picture is looked at so many times, turned and scaled a little.
  static constexpr Index views = 4;

  /// Loads the style pictures and opens the folder of photographs. Throws ArgumentError for impossible
  /// settings and FileError for pictures that cannot be read. Several processes share out each batch.
  explicit TrainingRun(const TrainSettings& settings, ProcessGroup& ranks = single_process());
  /// The same over the given photographs instead of all in the folder.
  TrainingRun(const TrainSettings& settings, std::vector<std::string> photographs,
              ProcessGroup& ranks = single_process());

  /// For added styles: begins with the weights of `base`, a network of the styles before them (a new style
  /// begins as the mean of the others). Throws ArgumentError when they do not fit.
  void start_from(const StateDict& base);

  /// Its steps. It resumes checkpoints of the command "train".
  Training& training() { return training_; }
  const TrainSettings& settings() const { return settings_; }
  StyleNetwork& network() { return network_; }
  /// The style pictures at the size they are imitated, each (1, 3, H, W).
  const std::vector<Tensor>& style_pictures() const { return styles_; }
  const PictureFolder& photographs() const { return photographs_; }

 private:
  // The photographs of the batch, in the styles by turns.
  BatchLoss next_loss();
  // Adds what half the batch costs by being painted otherwise in the next frame of a film.
  void add_steadiness(Losses& losses, const Tensor& batch, const Tensor& output,
                      const std::vector<Index>& rows, const std::vector<double>& noise);
  // The style of each photograph of the next batch, or kNoStyle.
  std::vector<Index> styles_of_next_batch() const;

  TrainSettings settings_;
  ProcessGroup& ranks_;
  Generator rng_;
  StyleNetwork network_;
  std::unique_ptr<LossNetwork> loss_network_;
  std::vector<Tensor> styles_;
  StyleTarget target_;
  PictureFolder photographs_;
  Adam optimizer_;
  Training training_;
};

}  // namespace gesso
