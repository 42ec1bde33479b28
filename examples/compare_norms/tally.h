// Numbers of a comparison, gathered over seeds.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "results.h"

namespace gesso {

/// The trainings with one normalization, batch size and kind of photographs: one for each seed, in order.
std::vector<const ComparisonRun*> runs_of(const Comparison& comparison, const std::string& normalization,
                                          Index batch, const std::string& photographs = "plain");

/// The normalizations that were compared, in the order of their first training.
std::vector<std::string> normalizations_of(const Comparison& comparison);
/// The batch sizes, the largest first.
std::vector<Index> batch_sizes_of(const Comparison& comparison);

/// Numbers of several seeds: their mean and their standard deviation (n - 1), 0 for one seed.
struct Spread {
  double mean = 0;
  double deviation = 0;
  std::size_t count = 0;

  explicit Spread(const std::vector<double>& values);
  /// "3.25 ± 0.12", "3.25" for one seed, "–" for none.
  std::string str() const;
};

/// The mean of the last tenth of `values`, or of the last one if there are fewer than ten; there must be one.
double mean_of_last_tenth(const std::vector<double>& values);

/// `measure` of each run.
std::vector<double> values_of(const std::vector<const ComparisonRun*>& runs,
                              const std::function<double(const ComparisonRun&)>& measure);

/// The measure at one contrast, or null.
const ContrastMeasure* contrast_of(const ComparisonRun& run, double contrast);

/// Three significant digits: "3.25", "0.00412", "128"; below 0.0001 "1.8e-06".
std::string short_number(double value);
/// "12 %", "0.4 %".
std::string percent(double share);

}  // namespace gesso
