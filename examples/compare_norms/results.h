// What a comparison of normalizations measured, and its file, RUN/results.json, which has the same names.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "experiments/experiment_results.h"
#include "gesso/core/index.h"

namespace gesso {

/// Content and style loss, unweighted, and the weighted sum that is trained on (which includes total
/// variation and range).
struct LossValues {
  double total = 0, content = 0, style = 0;
};

/// Test photographs at another contrast, repainted in eval mode; means over the test photographs. A
/// photograph's contrast is changed about its mean gray and clamped to [0, 1], as a camera would.
struct ContrastMeasure {
  double contrast = 1;        ///< factor of the photograph's contrast: 0.25, 0.5, 1, 2
  double pixel_change = 0;    ///< mean absolute difference of the output from the output at contrast 1
  double feature_change = 0;  ///< the same in the loss network: content_loss of the two outputs
  LossValues losses = {};     ///< of the output, against the photograph at contrast 1
  /// The first test photograph at this contrast, path relative to the run folder.
  std::string photograph = {};
  std::string picture = {};  ///< its output; empty where no pictures are kept
};

/// How good pictures are, by measures that the training does not reduce (quality.h); means over the test photographs.
struct PictureQuality {
  /// How much the painting's edges agree with the photograph's, at two scales (structure_kept(), painting/score.h): 1 for
  /// the same edges, about 0 for unrelated pictures.
  double structure = 0;
  /// How much more upright or level lines than diagonal ones its fine texture has (the larger of both, see
  /// painting/spectrum.h), as a multiple of the style picture's. Above 1 it is woven.
  double weave = 0;
  /// Content and style loss in a loss network that trained nothing here, Comparison::quality_network.
  double content = 0, style = 0;
};

/// The first test photograph, small, as the network painted it on the way, in eval mode.
struct SamplePicture {
  Index step = 0;       ///< after so many
  std::string picture;  ///< path relative to the run folder
};

/// One training, and what was measured on the network that it ended with.
struct ComparisonRun {
  std::string normalization;  ///< "instance"
  Index batch = 4;
  std::uint64_t seed = 1;
  std::string photographs = "plain";  ///< trained on: "plain", "contrast-normalized", "style-normalized"

  /// The curves: a number for each training step.
  std::vector<double> step = {}, total = {}, content = {}, style = {};
  /// Mean over the last tenth of the steps.
  LossValues training = {};
  /// On test photographs, in batches as large as in training, with statistics of the batch.
  LossValues test_train_mode = {};
  /// The same in eval mode.
  LossValues test = {};
  /// The test photographs repainted in eval mode.
  PictureQuality quality = {};
  /// In order of contrast.
  std::vector<ContrastMeasure> contrast = {};
  /// Mean absolute difference of neighbouring pixels, across and down, of the test photographs repainted in
  /// eval mode: how fine-grained the pictures are.
  double roughness = 0;
  /// Mean absolute difference of the outputs, in eval mode, for photographs x and for 0.5 x + 0.25.
  double scale_change = 0;
  /// In training mode: mean |change| of three pictures' outputs when the fourth of their batch is replaced.
  double leak = 0;
  /// The same in eval mode.
  double leak_eval = 0;
  /// Median over the training steps.
  double seconds_per_step = 0;
  /// The most memory that one training step takes beyond the weights: activations and gradients.
  double peak_megabytes = 0;
  /// The test photographs repainted in eval mode, in order of Comparison::test_photographs; paths relative to
  /// the run folder. Empty except for the first seed.
  std::vector<std::string> pictures = {};
  /// After the last step, half as many, a quarter, ...: up to six, in order. Empty except for the first seed.
  std::vector<SamplePicture> samples = {};
  /// The file of a NormalizationRecorder, relative path. Empty except for the first seed.
  std::string normalization_record = {};
};

/// What the small classifiers learn (classification_task.h).
struct ClassificationTaskRecord {
  std::string name;   ///< "crops", "pictures"
  std::string words;  ///< what is asked, and of what
  /// A test picture of each of the first ten classes, and the class's name.
  std::vector<std::string> pictures = {}, classes = {};
};

/// One training of the small classifier.
struct ClassificationRun {
  std::string task = {};  ///< the name of a ClassificationTaskRecord
  std::string normalization;
  std::uint64_t seed = 1;
  std::vector<double> step = {}, loss = {}, train_accuracy = {};  ///< of the training batches
  double training_set_accuracy = 0;  ///< of all training crops, in eval mode, 0 to 1
  double test_accuracy = 0;          ///< the same of test crops
};

/// A training that diverged: a finding of its own, which is not tried again.
struct FailedTraining {
  std::string task = {};  ///< of a classifier; empty for a style network
  std::string normalization;
  Index batch = 0;  ///< not for classifiers
  std::uint64_t seed = 1;
  std::string photographs = "plain";
  std::string reason = {};  ///< what it ended with

  /// "batch norm, batch 4, seed 2: loss is NaN at step 7": which it was, and the reason.
  std::string str() const;
};

/// With what a comparison was begun.
struct ComparisonOrigin {
  std::string version, compiler, simd, blas;  ///< see BuildInfo
  Index threads = 0;
  std::string begun;  ///< "2026-11-26T16:31:00Z"

  /// This program, here and now.
  static ComparisonOrigin now();
};

struct Comparison {
  ComparisonOrigin origin = {};
  std::map<std::string, std::string> settings = {};  ///< all that decides the results, as text
  std::vector<std::string> test_photographs = {};    ///< pictures shown, paths relative to the run folder
  std::string style_picture = {};                    ///< relative path
  std::string quality_network = {};                  ///< the loss network of PictureQuality
  std::vector<ComparisonRun> runs = {};              ///< those that are finished
  std::vector<ClassificationTaskRecord> classification_tasks = {};
  std::vector<ClassificationRun> classification = {};
  std::vector<FailedTraining> failures = {};
  ExperimentResults experiments = {};
};

/// Writes results.json: one JSON object with the names above, structs as objects, vectors as arrays, settings that
/// are numbers as numbers. Losses and curves keep seven digits; a number that is not finite is null. Beside it
/// results.schema.json, a JSON schema (draft 2020-12) that says so. Each file appears complete or not at all. Throws
/// FileError when one cannot be written.
void write_results(const Comparison& comparison, const std::filesystem::path& path);

/// Reads what write_results() wrote; null comes back as NaN. Throws FileError, naming the file and what is
/// wrong, when it is missing or is not such a file.
Comparison read_results(const std::filesystem::path& path);

}  // namespace gesso
