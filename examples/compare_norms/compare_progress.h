// How far a comparison is: one bar over all its trainings.
#pragma once

#include <chrono>
#include <string>

#include "comparison_settings.h"
#include "experiments/experiment.h"
#include "gesso/training/report/progress.h"
#include "gesso/training/report/report.h"

namespace gesso {

/// Counts work in units of about equal time: a training step is 1 + batch of them, as a step on one picture
/// costs about half of one on three, a step of a classifier is one, and so are 16 pictures in an experiment.
class CompareProgress {
 public:
  /// `left` of the `total` units are not done yet.
  CompareProgress(Index total, Index left);

  static Index units(const PlannedRun& run, const ComparisonSettings& settings);
  static Index units(const PlannedTraining& training);
  static Index units_of_pictures(Index pictures);  ///< of an experiment

  /// Of the work under way, `units_of_part` are done.
  void update(Index units_of_part, const std::string& status);
  /// Writes a line of its own above the bar.
  void message(const std::string& text) { bar_.message(text); }
  /// The work under way is done.
  void advance(Index units);
  /// For the report.
  ReportProgress report(const std::string& text) const;

 private:
  using Clock = std::chrono::steady_clock;
  Index total_, begun_at_, done_;
  Clock::time_point begin_ = Clock::now();
  ProgressBar bar_;
};

}  // namespace gesso
