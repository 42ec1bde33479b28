#include "comparison_settings.h"

#include <algorithm>
#include <set>

#include "experiments/experiment.h"
#include "gesso/training/settings.h"

namespace gesso {
namespace {

template <class T>
void check_list(const char* name, const std::vector<T>& values) {
  require(!values.empty(), name, " is empty; name at least one");
  std::set<T> seen;
  for (const T& value : values) {
    require(seen.insert(value).second, name, " lists ", value, " twice");
  }
}

SettingList list(ComparisonSettings& s) {
  return {{"seeds", &s.seeds, 1, 100},
          {"style", &s.style},
          {"painter", &s.painter},
          {"data", &s.data},
          {"picture_size", &s.picture_size, 16, 2048},
          {"classifier_steps", &s.classifier_steps, 1, 1e6},
          {"experiment_seeds", &s.experiment.seeds, 1, 100},
          {"experiment_steps", &s.experiment.steps, 1, 1e6}};
}

bool lists(const std::vector<std::string>& names, const char* name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

TrainSettings filter_bank_training() {
  TrainSettings settings;
  settings.loss_network.name = "filters";
  settings.style_loss = "wasserstein";
  return settings;
}

ComparisonSettings ComparisonSettings::small() {
  ComparisonSettings settings;
  settings.training.network = {.width = 8, .blocks = 2};
  settings.training.steps = 120;
  settings.training.crop = 96;
  settings.experiments = {"batch-size", "learning-rate"};
  return settings;
}

ComparisonSettings ComparisonSettings::full() {
  ComparisonSettings settings;
  settings.training.network = {.width = 32, .blocks = 5};
  settings.training.steps = 1200;
  settings.training.crop = 128;
  settings.picture_size = 384;
  settings.classifier_steps = 1000;
  settings.experiment = {.seeds = 5, .steps = 600};
  settings.experiments = names_of_experiments();
  return settings;
}

void ComparisonSettings::check() const {
  check_list("norms", normalizations);
  for (const std::string& name : normalizations) {
    require(lists(known_normalizations(), name.c_str()), "norms: unknown normalization '", name,
            "'; known are ", listed(known_normalizations(), ", "));
  }
  check_list("batch-sizes", batch_sizes);
  for (const Index size : batch_sizes) {
    require(size >= 1 && size <= 64, "batch-sizes: ", size, " is not in 1 to 64");
  }
  experiments_named(experiments);
  ComparisonSettings settings = *this;
  list(settings).check();
  train_settings({}, *this).check();
}

std::map<std::string, std::string> ComparisonSettings::to_text() const {
  std::map<std::string, std::string> text = training.to_metadata();
  for (const char* name : {"styles", "added_styles", "normalization", "batch", "seed"}) {
    text.erase(name);
  }
  text["norms"] = listed(normalizations);
  text["batch_sizes"] = listed(batch_sizes);
  ComparisonSettings settings = *this;
  text.merge(list(settings).to_metadata());
  text["normalized_photographs"] = normalized_photographs ? "yes" : "no";
  text["classification"] = classification ? "yes" : "no";
  return text;
}

std::string PlannedRun::name() const {
  return concat_text(normalization, "-batch", batch, "-seed", seed) +
         (photographs == "plain" ? "" : "-" + photographs);
}

TrainSettings train_settings(const PlannedRun& run, const ComparisonSettings& comparison) {
  TrainSettings settings = comparison.training;
  settings.styles = {comparison.style};
  settings.network.normalization = run.normalization;
  settings.batch = run.batch;
  settings.seed = run.seed;
  return settings;
}

std::vector<PlannedRun> plan(const ComparisonSettings& settings) {
  const Index largest = *std::max_element(settings.batch_sizes.begin(), settings.batch_sizes.end());
  const bool normalized = settings.normalized_photographs && largest > 1 &&
                          lists(settings.normalizations, "batch") &&
                          lists(settings.normalizations, "instance");
  std::vector<PlannedRun> runs;
  for (Index i = 1; settings.comparison && i <= settings.seeds; ++i) {
    const auto seed = static_cast<std::uint64_t>(i);
    for (const Index batch : settings.batch_sizes) {
      for (const std::string& name : settings.normalizations) {
        runs.push_back({name, batch, seed});
      }
    }
    if (normalized) {
      for (const char* photographs : {"contrast-normalized", "style-normalized"}) {
        runs.push_back({"batch", largest, seed, photographs});
        runs.push_back({"instance", largest, seed, photographs});
      }
    }
  }
  return runs;
}

bool needs_painter(const std::vector<PlannedRun>& runs) {
  return std::any_of(runs.begin(), runs.end(),
                     [](const PlannedRun& run) { return run.photographs == "style-normalized"; });
}

}  // namespace gesso
