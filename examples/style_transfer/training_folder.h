// The folder of a run, and a training that fills it: log, samples, checkpoint and report.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "gesso/training/report/report.h"
#include "painting/style_training.h"
#include "samples.h"

namespace gesso {

/// The files of a run's folder.
struct RunFolder {
  std::filesystem::path root;
  std::filesystem::path model() const { return root / "model.safetensors"; }
  std::filesystem::path checkpoint() const { return root / "checkpoint"; }
  std::filesystem::path samples() const { return root / "samples"; }
  std::string log() const { return (root / "log.jsonl").string(); }
  std::string report() const { return (root / "report.html").string(); }

  /// The checkpoint in it. Throws UsageError if there is none, or one of another command than `command`,
  /// "train" or "train-any".
  Checkpoint checkpoint_to_resume(const std::string& command) const;
};

/// Trains to the end or until Ctrl-C, with a progress bar; returns whether it came to the end. Every
/// `sample_every` steps, and then, the samples are painted, the checkpoint is saved, and `report` is asked
/// for the report on the log so far.
bool train_in_folder(StyleTraining& training, const RunFolder& folder, Samples& samples, Index sample_every,
                     const std::function<Report(const std::vector<LogEntry>&)>& report);

}  // namespace gesso
