// How far a comparison is: one bar over all its trainings.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "comparison_jobs.h"
#include "gesso/training/report/progress.h"
#include "gesso/training/report/report.h"

namespace gesso {

/// Counts units_of() jobs, several of which may be under way.
class CompareProgress {
 public:
  /// What `comparison` has is done already.
  CompareProgress(const std::vector<ComparisonJob>& jobs, const ComparisonSettings& settings,
                  const Comparison& comparison);

  /// Of the job of this number, `units` are done.
  void update(std::size_t job, Index units, const std::string& status);
  /// It is done.
  void finish(std::size_t job, const std::string& status);
  /// Writes a line of its own above the bar.
  void message(const std::string& text) { bar_.message(text); }
  /// For the report.
  ReportProgress report(const std::string& text) const;

 private:
  using Clock = std::chrono::steady_clock;
  Index so_far() const;

  std::vector<Index> units_;  // of each job
  Index total_, begun_at_, done_;
  std::map<std::size_t, Index> under_way_;
  Clock::time_point begin_ = Clock::now();
  ProgressBar bar_;
};

}  // namespace gesso
