// One training of a loss network: its settings, one step of it, and how it is saved and resumed.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "crops.h"
#include "gesso/training/optim/adam.h"
#include "gesso/training/training_loop.h"
#include "student.h"

namespace gesso {

struct LossNetworkSettings {
  std::vector<std::string> pictures;  ///< folders of photographs and paintings
  std::string teacher = "squeezenet";
  std::string teacher_weights;  ///< torchvision's squeezenet1_0 as safetensors
  /// Folder of style networks, which paint every picture once more: so the student learns to be right where
  /// training a style network leads. Empty: none.
  std::string painters;
  Index steps = 8000;
  Index batch = 8;              ///< crops a step
  Index crop = 128;             ///< their side, pixels
  double learning_rate = 2e-3;  ///< the highest: reached after a warm-up, lowered along a cosine
  std::uint64_t seed = 1;

  /// Throws ArgumentError naming the setting that is out of range.
  void check() const;
  /// The command line that trains with these settings, without --out.
  std::string command() const;
  /// Every setting as text, and back. from_metadata() throws ArgumentError for what is missing or unreadable.
  std::map<std::string, std::string> to_metadata() const;
  static LossNetworkSettings from_metadata(const std::map<std::string, std::string>& metadata);
};

/// The pictures in the settings' folders. Throws ArgumentError for fewer than 2, and as pictures_in() does.
std::vector<std::string> pictures_to_learn_from(const LossNetworkSettings& settings);

/// Distillation (Hinton et al. 2015, arXiv 1503.02531; of features: Romero et al. 2015, arXiv 1412.6550): the
/// student learns to predict every layer of the teacher.
class LossNetworkTraining {
 public:
  /// Loads teacher and pictures, and lets the painters paint. Every 16th picture is kept for tests. Throws
  /// ArgumentError for impossible settings or fewer than 2 pictures, FileError for what cannot be read.
  /// Several processes share out each batch.
  explicit LossNetworkTraining(const LossNetworkSettings& settings, ProcessGroup& ranks = single_process());
  /// The same over the given pictures instead of all in the folders.
  LossNetworkTraining(const LossNetworkSettings& settings, std::vector<std::string> files,
                      ProcessGroup& ranks = single_process());

  /// Its steps, each on a batch of varied crops. The loss is the mean over layers of the mean squared error,
  /// each channel divided by its standard deviation; by the layer's name, the same of each. For the last 40 %
  /// of the steps batch norm's statistics stand still.
  Training& training() { return training_; }
  /// For each layer, the share of the teacher's variance that the student does not explain, over crops, the
  /// same at every call, of pictures that training never sees: 0 is a perfect copy, 1 knows nothing. In
  /// evaluation mode.
  std::vector<double> unexplained();
  /// The names of the layers, "conv1" to "fire6".
  const std::vector<std::string>& layer_names() const { return names_; }

  /// Training::resume(), which also throws ArgumentError when the folders' pictures are not those of the
  /// checkpoint.
  void resume(const Checkpoint& checkpoint);

  /// The weights as a SqueezeNet takes them, features in the teacher's units.
  NamedTensors weights() const { return student_.folded(deviations_); }

  const LossNetworkSettings& settings() const { return settings_; }
  const std::vector<std::string>& files() const { return files_; }
  const SqueezeNet& teacher() const { return teacher_; }
  /// Crops of pictures that training never sees.
  const Tensor& test_crops() const { return test_; }

 private:
  BatchLoss next_loss();
  Tensor scaled(const Tensor& features, std::size_t layer) const;

  LossNetworkSettings settings_;
  std::vector<std::string> files_;
  SqueezeNet teacher_;
  std::vector<Tensor> pictures_, test_pictures_;
  Generator rng_;  // draws the first weights, then the crops
  Student student_;
  Adam optimizer_;
  Training training_;
  std::vector<std::string> names_;
  std::vector<Tensor> deviations_;  // of each layer, (C): of the teacher's channels
  Tensor test_;
};

}  // namespace gesso
