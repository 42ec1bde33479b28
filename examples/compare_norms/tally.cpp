#include "tally.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>

namespace gesso {
namespace {

// Digits after the point that show three significant ones.
int decimals(double value) {
  const double size = std::abs(value);
  return size > 0 && std::isfinite(size)
             ? std::clamp(2 - static_cast<int>(std::floor(std::log10(size))), 0, 8)
             : 0;
}

std::string fixed(double value, int digits) {
  char text[48];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

template <class T>
void add_new(std::vector<T>& list, const T& value) {
  if (std::find(list.begin(), list.end(), value) == list.end()) {
    list.push_back(value);
  }
}

}  // namespace

std::vector<const ComparisonRun*> runs_of(const Comparison& comparison, const std::string& normalization,
                                          Index batch, const std::string& photographs) {
  std::vector<const ComparisonRun*> found;
  for (const ComparisonRun& run : comparison.runs) {
    if (run.normalization == normalization && run.batch == batch && run.photographs == photographs) {
      found.push_back(&run);
    }
  }
  std::sort(found.begin(), found.end(), [](const auto* a, const auto* b) { return a->seed < b->seed; });
  return found;
}

std::vector<std::string> normalizations_of(const Comparison& comparison) {
  std::vector<std::string> names;
  for (const ComparisonRun& run : comparison.runs) {
    add_new(names, run.normalization);
  }
  return names;
}

std::vector<Index> batch_sizes_of(const Comparison& comparison) {
  std::vector<Index> sizes;
  for (const ComparisonRun& run : comparison.runs) {
    add_new(sizes, run.batch);
  }
  std::sort(sizes.rbegin(), sizes.rend());
  return sizes;
}

Spread::Spread(const std::vector<double>& values) : count(values.size()) {
  if (count == 0) {
    return;
  }
  mean = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(count);
  if (count > 1) {
    double squares = 0;
    for (const double value : values) {
      squares += (value - mean) * (value - mean);
    }
    deviation = std::sqrt(squares / static_cast<double>(count - 1));
  }
}

std::string Spread::str() const {
  if (count == 0) {
    return "–";
  }
  const int digits = decimals(mean);
  return count == 1 ? fixed(mean, digits) : fixed(mean, digits) + " ± " + fixed(deviation, digits);
}

double mean_of_last_tenth(const std::vector<double>& values) {
  const std::size_t last = std::max<std::size_t>(1, values.size() / 10);
  double sum = 0;
  for (std::size_t i = values.size() - last; i < values.size(); ++i) {
    sum += values[i] / static_cast<double>(last);
  }
  return sum;
}

std::vector<double> values_of(const std::vector<const ComparisonRun*>& runs,
                              const std::function<double(const ComparisonRun&)>& measure) {
  std::vector<double> values;
  for (const ComparisonRun* run : runs) {
    values.push_back(measure(*run));
  }
  return values;
}

const ContrastMeasure* contrast_of(const ComparisonRun& run, double contrast) {
  const auto at = std::find_if(run.contrast.begin(), run.contrast.end(),
                               [&](const ContrastMeasure& each) { return each.contrast == contrast; });
  return at == run.contrast.end() ? nullptr : &*at;
}

std::string short_number(double value) {
  if (value != 0 && std::abs(value) < 1e-4) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1e", value);
    return text;
  }
  return fixed(value, decimals(value));
}

std::string percent(double share) {
  const double hundredths = 100 * share;
  return fixed(hundredths, std::abs(hundredths) < 10 && hundredths != 0 ? 1 : 0) + " %";
}

}  // namespace gesso
