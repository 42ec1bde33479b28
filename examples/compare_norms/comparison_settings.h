// What a comparison is made of: its settings, and the trainings that follow from them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "experiments/experiment_settings.h"
#include "gesso/core/error.h"
#include "painting/settings.h"

namespace gesso {

/// "1,4"
template <class T>
std::string listed(const std::vector<T>& values, const char* separator = ",") {
  std::string text;
  for (const T& value : values) {
    text += concat_text(text.empty() ? "" : separator, value);
  }
  return text;
}

/// The defaults of a training whose pictures are compared by the filter bank, which learned nothing, and the
/// Wasserstein distance.
TrainSettings filter_bank_training();

/// The settings of a comparison. Those of small() take less than ten minutes on two cores.
struct ComparisonSettings {
  /// What all trainings share. Its style, normalization, batch and seed are not used: each training has its
  /// own.
  TrainSettings training = filter_bank_training();
  std::string style;  ///< file of the style picture
  std::vector<std::string> normalizations = {"none", "batch", "instance", "layer", "group", "batch-instance"};
  std::vector<Index> batch_sizes = {1, 4};
  Index seeds = 5;           ///< repetitions, each with other initial weights and crops: seeds 1, 2, ...
  std::string painter;       ///< file of a trained style network, which style-normalizes photographs
  Index picture_size = 256;  ///< short side of the pictures shown
  Index classifier_steps = 200;
  std::string data;  ///< folder of labelled pictures, see labelled_task(); empty: drawn ones
  bool normalized_photographs = true;  ///< whether to train on normalized photographs too
  bool classification = true;          ///< whether to train the small classifiers
  ExperimentSettings experiment = {};
  /// What is done, which can grow from one run to the next in the same folder: the comparison of style networks, with
  /// what the two before ask for besides; and these of the experiments (experiments/experiment.h).
  bool comparison = true;
  std::vector<std::string> experiments = {};

  /// On two cores: less than ten minutes, and some hours.
  static ComparisonSettings small();
  static ComparisonSettings full();

  /// Throws ArgumentError naming the setting that is out of range.
  void check() const;
  /// Every setting that a result depends on, as text: a comparison goes on only if all are equal.
  std::map<std::string, std::string> to_text() const;
};

/// One training of a comparison.
struct PlannedRun {
  std::string normalization = "instance";
  Index batch = 4;
  std::uint64_t seed = 1;
  std::string photographs = "plain";  ///< see ComparisonRun

  /// "instance-batch4-seed1", "batch-batch4-seed1-contrast-normalized": the name of its folder
  std::string name() const;
};

/// The settings to train `run` with.
TrainSettings train_settings(const PlannedRun& run, const ComparisonSettings& comparison);

/// The trainings of the comparison, in order: all of the first seed, then the next. With instance and batch
/// norm among the normalizations and a batch of two or more, these two also train on contrast-normalized and
/// style-normalized photographs, with the largest batch.
std::vector<PlannedRun> plan(const ComparisonSettings& settings);

/// Whether a planned training is on style-normalized photographs.
bool needs_painter(const std::vector<PlannedRun>& runs);

}  // namespace gesso
