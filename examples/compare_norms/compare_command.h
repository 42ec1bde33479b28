// What compare-norms does.
#pragma once

#include <filesystem>

#include "comparison_settings.h"

namespace gesso {

/// Trains the same style network with each normalization, measures the results, and keeps them in the folder
/// `out`:
///
///     results.json   all numbers; see results.h; trainings.csv and curves.csv for other programs
///     experiments/   the same of each experiment, NAME.csv
///     plan.toml      the options, for --plan
///     report.html    the same to look at
///     style.jpg      the style picture
///     test/          the test photographs, as they are shown
///     photographs/   the training photographs, contrast-normalized and style-normalized
///     runs/NAME/     one folder for each training: log.jsonl, model.safetensors, pictures
///
/// The files at the top are rewritten after every training. What is in results.json is not done again:
/// after an interruption, the same command goes on, to the same results.
struct CompareCommand {
  ComparisonSettings settings;
  std::filesystem::path out;
  std::string plan_text = {};  ///< the options that were given, which become out/plan.toml
  /// How many trainings run at the same time, each in a process with its share of the threads; 0: as many as there are
  /// threads and memory for.
  Index jobs = 0;
  bool interrupted = false;  ///< set when Ctrl-C ended it

  /// Throws UsageError for impossible settings, more jobs than memory and a folder that holds something else,
  /// other Errors for what fails on the way.
  void run();
};

}  // namespace gesso
