#include "compare_progress.h"

#include <algorithm>
#include <numeric>

namespace gesso {
namespace {

std::vector<Index> units_of_each(const std::vector<ComparisonJob>& jobs, const ComparisonSettings& settings) {
  std::vector<Index> units;
  for (const ComparisonJob& job : jobs) {
    units.push_back(units_of(job, settings));
  }
  return units;
}

Index units_done(const std::vector<ComparisonJob>& jobs, const std::vector<Index>& units,
                 const Comparison& comparison) {
  Index done = 0;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    done += is_done(jobs[i], comparison) ? units[i] : 0;
  }
  return done;
}

}  // namespace

CompareProgress::CompareProgress(const std::vector<ComparisonJob>& jobs, const ComparisonSettings& settings,
                                 const Comparison& comparison)
    : units_(units_of_each(jobs, settings)),
      total_(std::max<Index>(1, std::accumulate(units_.begin(), units_.end(), Index{0}))),
      begun_at_(units_done(jobs, units_, comparison)),
      done_(begun_at_),
      bar_("Comparing", total_, begun_at_) {}

void CompareProgress::update(std::size_t job, Index units, const std::string& status) {
  under_way_[job] = units;
  bar_.update(so_far(), status);
}

void CompareProgress::finish(std::size_t job, const std::string& status) {
  under_way_.erase(job);
  done_ += units_[job];
  bar_.update(so_far(), status);
}

Index CompareProgress::so_far() const {
  return std::accumulate(under_way_.begin(), under_way_.end(), done_,
                         [](Index sum, const auto& each) { return sum + each.second; });
}

ReportProgress CompareProgress::report(const std::string& text) const {
  const double seconds = std::chrono::duration<double>(Clock::now() - begin_).count();
  const Index done = so_far();
  ReportProgress report{static_cast<double>(done) / static_cast<double>(total_), text};
  if (done > begun_at_) {
    const double left = seconds * static_cast<double>(total_ - done) / static_cast<double>(done - begun_at_);
    report.text += ", about " + ProgressBar::duration(left) + " left";
  }
  return report;
}

}  // namespace gesso
