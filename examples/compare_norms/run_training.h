// One training of a comparison, in a folder of its own.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "painting/losses.h"
#include "painting/settings.h"
#include "results.h"

namespace gesso {

/// The files of a training's folder.
struct TrainingFolder {
  std::filesystem::path root;
  std::filesystem::path log() const { return root / "log.jsonl"; }
  std::filesystem::path model() const { return root / "model.safetensors"; }  ///< there when it is finished
  std::filesystem::path record() const { return root / "normalization.jsonl"; }
  std::filesystem::path checkpoint() const { return root / "checkpoint"; }  ///< there while it is not
};

/// What a training is given to do beside.
struct TrainingWatch {
  bool record = false;  ///< keep about 40 records of the normalization layers
  std::function<void(Index steps_done, const Losses& losses)> after_step = {};
};

/// Trains on `photographs`, going on where an earlier call was stopped or killed; a finished training is left
/// as it is. Returns whether it came to its end: false after stop_requested(). Throws Error when the loss is
/// no longer finite, FileError when a file cannot be read or written.
bool run_training(const TrainSettings& settings, const std::vector<std::string>& photographs,
                  const TrainingFolder& folder, const TrainingWatch& watch);

/// Fills the curves, their end and the seconds per step from a finished training's log.
void read_curves(const TrainingFolder& folder, ComparisonRun& run);

}  // namespace gesso
