#include <algorithm>

#include "compare_norms/comparison_settings.h"
#include "experiments_list.h"
#include "gesso/core/error.h"
#include "typed_experiment.h"

namespace gesso {

const std::vector<const Experiment*>& experiments() {
  static const std::vector<const Experiment*> list = {
      &batch_size_experiment(), &learning_rate_experiment(), &depth_experiment(),        &place_experiment(),
      &constants_experiment(),  &landscape_experiment(),     &weight_growth_experiment()};
  return list;
}

std::vector<std::string> names_of_experiments() {
  std::vector<std::string> names;
  for (const Experiment* experiment : experiments()) {
    names.push_back(experiment->name);
  }
  return names;
}

std::vector<const Experiment*> experiments_named(const std::vector<std::string>& names) {
  std::vector<const Experiment*> found;
  for (const std::string& name : names) {
    const auto at = std::find_if(experiments().begin(), experiments().end(),
                                 [&](const Experiment* experiment) { return experiment->name == name; });
    require(at != experiments().end(), "experiments: there is no experiment '", name, "'; there are ",
            listed(names_of_experiments(), ", "));
    found.push_back(*at);
  }
  return found;
}

std::string setting_in(const std::string& training, const std::string& normalization) {
  const std::size_t begin = normalization.size(), end = training.rfind("-seed");
  std::string setting = end > begin ? training.substr(begin + 1, end - begin - 1) : "";
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto number = std::find_if(setting.begin(), setting.end(), is_digit);
  if (number != setting.begin() && number != setting.end()) {
    setting.insert(number, ' ');
  }
  return setting;
}

}  // namespace gesso
