#include "curves.h"

#include <algorithm>
#include <map>

namespace gesso {

int color_of(const std::string& name) {
  static const std::map<std::string, int> colors = {{"instance", 0}, {"batch", 1}, {"layer", 2},
                                                    {"group", 3},    {"none", 6},  {"batch-instance", 4}};
  const auto known = colors.find(name);
  return known == colors.end() ? 5 : known->second;
}

std::string label_of(const std::string& name) { return name == "none" ? "no normalization" : name; }

ReportCurve curve_over_seeds(const std::string& name, const std::vector<std::vector<double>>& x,
                             const std::vector<std::vector<double>>& y) {
  ReportCurve curve{.name = label_of(name), .color = color_of(name)};
  std::size_t count = x.empty() ? 0 : x.front().size();
  for (const std::vector<double>& each : y) {
    count = std::min(count, each.size());
  }
  for (std::size_t i = 0; i < count; ++i) {
    double sum = 0, low = y.front()[i], high = low;
    for (const std::vector<double>& each : y) {
      sum += each[i];
      low = std::min(low, each[i]);
      high = std::max(high, each[i]);
    }
    curve.x.push_back(x.front()[i]);
    curve.y.push_back(sum / static_cast<double>(y.size()));
    if (y.size() > 1) {
      curve.low.push_back(low);
      curve.high.push_back(high);
    }
  }
  return curve;
}

}  // namespace gesso
