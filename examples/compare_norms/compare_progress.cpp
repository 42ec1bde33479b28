#include "compare_progress.h"

#include <algorithm>

namespace gesso {

CompareProgress::CompareProgress(Index total, Index left)
    : total_(std::max<Index>(1, total)),
      begun_at_(total - left),
      done_(total - left),
      bar_("Comparing", total, total - left) {}

Index CompareProgress::units(const PlannedRun& run, const ComparisonSettings& settings) {
  return settings.training.steps * (1 + run.batch);
}

Index CompareProgress::units(const PlannedTraining& training) {
  return 1 + units_of_pictures(training.pictures);
}

Index CompareProgress::units_of_pictures(Index pictures) { return pictures / 16; }

void CompareProgress::update(Index units_of_part, const std::string& status) {
  bar_.update(done_ + units_of_part, status);
}

void CompareProgress::advance(Index units) { done_ += units; }

ReportProgress CompareProgress::report(const std::string& text) const {
  const double seconds = std::chrono::duration<double>(Clock::now() - begin_).count();
  ReportProgress report{static_cast<double>(done_) / static_cast<double>(total_), text};
  if (done_ > begun_at_) {
    const double left =
        seconds * static_cast<double>(total_ - done_) / static_cast<double>(done_ - begun_at_);
    report.text += ", about " + ProgressBar::duration(left) + " left";
  }
  return report;
}

}  // namespace gesso
