// Numbers of an experiment's trainings, gathered over seeds, for runs of any type with `network`.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "compare_norms/curves.h"
#include "compare_norms/tally.h"
#include "gesso/core/error.h"

namespace gesso {

/// The mean, NaN of none.
inline double mean_or_nan(const std::vector<double>& values) {
  return values.empty() ? std::numeric_limits<double>::quiet_NaN() : Spread(values).mean;
}

/// The last of a run's numbers; NaN where its training diverged.
template <class Run>
double last_or_nan(const Run& run, const std::vector<double>& values) {
  return values.empty() || run.diverged_at > 0 ? std::numeric_limits<double>::quiet_NaN() : values.back();
}

/// The normalizations of the runs, each once, in the order of the runs.
template <class Run>
std::vector<std::string> normalizations_in(const std::vector<Run>& runs) {
  std::vector<std::string> names;
  for (const Run& run : runs) {
    if (std::find(names.begin(), names.end(), run.network.normalization) == names.end()) {
      names.push_back(run.network.normalization);
    }
  }
  return names;
}

/// A curve for each normalization: y over x, both a number for each point of a run; mean and range over the
/// seeds. Runs with fewer points than others, which diverged, are left out.
template <class Run, class X, class Y>
std::vector<ReportCurve> curves_over_seeds(const std::vector<Run>& runs, const X& x, const Y& y) {
  std::size_t points = 0;
  for (const Run& run : runs) {
    points = std::max(points, y(run).size());
  }
  std::vector<ReportCurve> curves;
  for (const std::string& name : normalizations_in(runs)) {
    std::vector<std::vector<double>> places, values;
    for (const Run& run : runs) {
      if (run.network.normalization == name && y(run).size() == points) {
        places.push_back(x(run));
        values.push_back(y(run));
      }
    }
    if (!values.empty()) {
      curves.push_back(curve_over_seeds(name, places, values));
    }
  }
  return curves;
}

/// "0.12 ± 0.03", "7.7e-07": numbers as small as that have no digits to spare for a deviation.
inline std::string spread_text(const std::vector<double>& values) {
  const Spread spread(values);
  return std::abs(spread.mean) < 1e-4 ? short_number(spread.mean) : spread.str();
}

/// "0.12 ± 0.03 with batch (the least) to 0.9 ± 0.2 with no normalization (the most), 7.5 times as much": of
/// the means over seeds of a number of each run; those that are not finite are left out. Says so where the
/// seeds of both overlap.
template <class Run, class Measure>
std::string least_to_most(const std::vector<Run>& runs, const Measure& measure) {
  std::vector<std::pair<std::string, std::vector<double>>> all;
  for (const std::string& name : normalizations_in(runs)) {
    std::vector<double> values;
    for (const Run& run : runs) {
      const double value = measure(run);
      if (run.network.normalization == name && std::isfinite(value)) {
        values.push_back(value);
      }
    }
    if (!values.empty()) {
      all.emplace_back(label_of(name), std::move(values));
    }
  }
  if (all.size() < 2) {
    return "not known: fewer than two normalizations have been measured";
  }
  const auto by_mean = [](const auto& a, const auto& b) {
    return Spread(a.second).mean < Spread(b.second).mean;
  };
  const auto [least, most] = std::minmax_element(all.begin(), all.end(), by_mean);
  const double low = Spread(least->second).mean, high = Spread(most->second).mean;
  std::string words = concat_text(spread_text(least->second), " with ", least->first, " (the least) to ",
                                  spread_text(most->second), " with ", most->first, " (the most)");
  if (low > 0) {
    words += concat_text(", ", short_number(high / low), " times as much");
  }
  const bool overlap = *std::max_element(least->second.begin(), least->second.end()) >=
                       *std::min_element(most->second.begin(), most->second.end());
  return words + (overlap ? "; the seeds of these two overlap" : "");
}

}  // namespace gesso
