// How far a comparison is: one bar over all its trainings.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "comparison_settings.h"
#include "gesso/training/report/progress.h"
#include "gesso/training/report/report.h"

namespace gesso {

/// Counts work in units of about equal time: a training step is 1 + batch of them, as a step on one picture
/// costs about half of one on three, and a step of a classifier is one.
class CompareProgress {
 public:
  /// `left` of the `total` units are not done yet.
  CompareProgress(std::int64_t total, std::int64_t left);

  static std::int64_t units(const PlannedRun& run, const ComparisonSettings& settings);

  /// Of the work under way, `units_of_part` are done.
  void update(std::int64_t units_of_part, const std::string& status);
  /// The work under way is done.
  void advance(std::int64_t units);
  /// For the report.
  ReportProgress report(const std::string& text) const;

 private:
  using Clock = std::chrono::steady_clock;
  std::int64_t total_, begun_at_, done_;
  Clock::time_point begin_ = Clock::now();
  ProgressBar bar_;
};

}  // namespace gesso
