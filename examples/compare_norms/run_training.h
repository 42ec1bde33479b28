// One training of a comparison, in a folder of its own.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "gesso/core/tensor.h"
#include "gesso/training/report/log.h"
#include "gesso/training/run_folder.h"
#include "painting/settings.h"
#include "results.h"

namespace gesso {

/// The steps after which samples are kept: the last, half as many, a quarter, ..., up to six, in order. What a network
/// paints changes most at the beginning.
std::vector<Index> sample_steps(Index steps);

/// The file of the sample after `step` steps.
std::filesystem::path sample_file(const RunFolder& folder, Index step);

/// What a training does besides.
struct TrainingWatch {
  bool record = false;  ///< keep about 40 records of the normalization layers
  /// A photograph (1, 3, H, W) that the network paints, in eval mode, after sample_steps(); none if undefined.
  Tensor sample = {};
  std::function<void(Index step, const LogEntry& entry)> after_step = {};
};

/// Trains on `photographs`, going on where an earlier call was stopped or killed; a finished training, whose
/// folder has the model and no checkpoint any more, is left as it is. Returns whether it came to its end:
/// false after stop_requested(). Throws Error when the loss is no longer finite, FileError when a file cannot
/// be read or written. Of several processes all call it, and the first writes.
bool run_training(const TrainSettings& settings, const std::vector<std::string>& photographs,
                  const RunFolder& folder, const TrainingWatch& watch,
                  ProcessGroup& ranks = single_process());

/// Fills the curves, their mean at the end and the seconds per step from the log of a finished training.
void read_curves(const RunFolder& folder, ComparisonRun& run);

}  // namespace gesso
