// One training of a loss network: its settings, one step of it, and how it is saved and resumed.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "classifier.h"
#include "crops.h"
#include "gesso/training/checkpoint.h"
#include "gesso/training/optim/sgd.h"
#include "gesso/training/training_loop.h"

namespace gesso {

struct LossNetworkSettings {
  std::string pictures;  ///< folder of photographs and paintings
  Index steps = 2500;
  Index batch = 64;            ///< crops a step
  Index crop = 64;             ///< their side, pixels
  double learning_rate = 0.1;  ///< the highest: reached after a warm-up, lowered along a cosine
  std::uint64_t seed = 1;

  /// Throws ArgumentError naming the setting that is out of range.
  void check() const;
  /// The command line that trains with these settings, without --out.
  std::string command() const;
  /// Every setting as text, and back. from_metadata() throws ArgumentError for what is missing or unreadable.
  std::map<std::string, std::string> to_metadata() const;
  static LossNetworkSettings from_metadata(const std::map<std::string, std::string>& metadata);
};

class LossNetworkTraining {
 public:
  /// Loads the pictures. Throws ArgumentError for impossible settings or fewer than 2 pictures, FileError for
  /// what cannot be read.
  explicit LossNetworkTraining(const LossNetworkSettings& settings);

  /// Its steps, each on a batch of varied crops: the loss is cross entropy, "accuracy" the share of the batch
  /// that was named correctly.
  Training& training() { return training_; }
  /// The share that is named correctly, in evaluation mode, of 512 crops that are not varied, the same at
  /// every call. They come from the same pictures, but the network has never seen these crops.
  double accuracy();

  /// Training::resume(), which also throws ArgumentError when the folder's pictures are not those of the
  /// checkpoint.
  void resume(const Checkpoint& checkpoint);

  /// The weights as a TrainedStack takes them, channels scaled to mean 1.
  NamedTensors weights();

  const LossNetworkSettings& settings() const { return settings_; }
  const std::vector<std::string>& files() const { return files_; }

 private:
  BatchLoss next_loss();

  LossNetworkSettings settings_;
  std::vector<std::string> files_;
  std::vector<Tensor> pictures_;
  Generator rng_;  // draws the first weights, then the crops
  Classifier network_;
  SGD optimizer_;
  Training training_;
  Crops test_;
};

}  // namespace gesso
