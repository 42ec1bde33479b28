// What experiments on a stack of convolutions share: where they begin, and how their numbers are gathered over seeds.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "typed_experiment.h"

namespace gesso {

/// An experiment that lacks its name, title, question, source, runs, plan and blocks.
TypedExperiment<StackRun> stack_experiment();

/// In percent, in training mode, each batch with its own statistics.
double test_error_in_batches(const StackRun& run);

/// Six convolutions with He's weights and this normalization, in batches of 16. Its name is "group-seed2".
StackRun usual_run(const std::string& normalization, const ExperimentSettings& settings, std::uint64_t seed);

/// `from` with batches of this size and a rate in proportion (Goyal et al. 2017, arXiv 1706.02677), in as many steps as
/// show the same number of pictures.
StackTraining with_batch(const StackTraining& from, Index batch);

/// Whether it came to its end, with a training loss below nine tenths of that of a guess.
bool has_learned(const StackRun& run);

using StackFilter = std::function<bool(const StackRun& run)>;
using StackMeasure = std::function<double(const StackRun& run)>;

/// The measure of each run that the filter lets through; those that are not finite are left out.
std::vector<double> values_of(const std::vector<StackRun>& runs, const StackFilter& filter,
                              const StackMeasure& measure);

/// `value` of each run, every one once, in the order of the runs.
template <class T>
std::vector<T> each(const std::vector<StackRun>& runs, const std::function<T(const StackRun&)>& value) {
  std::vector<T> list;
  for (const StackRun& run : runs) {
    if (std::find(list.begin(), list.end(), value(run)) == list.end()) {
      list.push_back(value(run));
    }
  }
  return list;
}
std::vector<std::string> normalizations_of(const std::vector<StackRun>& runs);

/// One normalization's curve: y over x, mean and range over the seeds. Where no run has a finite y there is no point.
ReportCurve curve_of(const std::vector<StackRun>& runs, const std::string& normalization,
                     const StackMeasure& x, const StackMeasure& y);

/// `measure` by normalization (rows) and `setting` (columns), mean and deviation over the seeds. A cell is crossed out
/// where a seed diverged, or none learned; kGridWords explains what stands there.
ReportGrid stack_grid(const std::vector<StackRun>& runs, const std::string& title,
                      const std::string& column_label,
                      const std::function<std::string(const StackRun&)>& setting,
                      const StackMeasure& measure);
extern const char* const kGridWords;

}  // namespace gesso
