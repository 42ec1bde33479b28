// One training of a comparison, in a folder of its own.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "gesso/training/report/log.h"
#include "gesso/training/run_folder.h"
#include "painting/settings.h"
#include "results.h"

namespace gesso {

/// What a training does besides.
struct TrainingWatch {
  bool record = false;  ///< keep about 40 records of the normalization layers
  std::function<void(Index step, const LogEntry& entry)> after_step = {};
};

/// Trains on `photographs`, going on where an earlier call was stopped or killed; a finished training, whose
/// folder has the model and no checkpoint any more, is left as it is. Returns whether it came to its end:
/// false after stop_requested(). Throws Error when the loss is no longer finite, FileError when a file cannot
/// be read or written.
bool run_training(const TrainSettings& settings, const std::vector<std::string>& photographs,
                  const RunFolder& folder, const TrainingWatch& watch);

/// Fills the curves, their mean at the end and the seconds per step from the log of a finished training.
void read_curves(const RunFolder& folder, ComparisonRun& run);

}  // namespace gesso
