#include "comparison_jobs.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace gesso {
namespace {

template <class... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};

// A name that no other training has, and that its result has too.
std::string name_of(const PlannedRun& run) { return run.name(); }
std::string name_of(const PlannedClassifier& run) { return run.name(); }
std::string name_of(const PlannedExperiment& each) {
  return concat_text("experiment-", each.experiment->name, "-", each.training.name);
}
std::string name_of(const ComparisonJob& job) {
  return std::visit([](const auto& each) { return name_of(each); }, job);
}
std::string name_of(const ComparisonRun& run) {
  return name_of(PlannedRun{run.normalization, run.batch, run.seed, run.photographs});
}
std::string name_of(const ClassificationRun& run) {
  return name_of(PlannedClassifier{run.task, run.normalization, run.seed});
}
std::string name_of(const FailedTraining& run) {
  return run.task.empty() ? name_of(PlannedRun{run.normalization, run.batch, run.seed, run.photographs})
                          : name_of(PlannedClassifier{run.task, run.normalization, run.seed});
}

template <class Record>
bool has(const std::vector<Record>& records, const std::string& name) {
  return std::any_of(records.begin(), records.end(),
                     [&](const Record& record) { return name_of(record) == name; });
}

// Adds `from` to `to`, whose order is then that of `places`.
template <class Record>
void add(const std::vector<Record>& from, const std::map<std::string, std::size_t>& places,
         std::vector<Record>& to) {
  const auto place_of = [&](const Record& record) {
    const auto found = places.find(name_of(record));
    return found == places.end() ? places.size() : found->second;  // done before, and not asked for now
  };
  to.insert(to.end(), from.begin(), from.end());
  std::stable_sort(to.begin(), to.end(),
                   [&](const Record& a, const Record& b) { return place_of(a) < place_of(b); });
}

}  // namespace

std::string PlannedClassifier::name() const {
  return concat_text("classifier-", task, "-", normalization, "-seed", seed);
}

std::vector<ComparisonJob> comparison_jobs(const ComparisonSettings& settings,
                                           const std::vector<std::string>& tasks) {
  const std::vector<PlannedRun> runs = plan(settings);
  std::vector<ComparisonJob> jobs(runs.begin(), runs.end());
  for (const std::string& task : tasks) {
    for (Index seed = 1; settings.comparison && settings.classification && seed <= settings.seeds; ++seed) {
      for (const std::string& normalization : settings.normalizations) {
        jobs.push_back(PlannedClassifier{task, normalization, static_cast<std::uint64_t>(seed)});
      }
    }
  }
  for (const Experiment* experiment : experiments_named(settings.experiments)) {
    for (const PlannedTraining& training : experiment->plan(settings.experiment)) {
      jobs.push_back(PlannedExperiment{experiment, training});
    }
  }
  return jobs;
}

std::string words_of(const ComparisonJob& job) {
  return std::visit(Overloaded{[](const PlannedRun& run) {
                                 return concat_text(run.normalization, ", batch ", run.batch, ", seed ",
                                                    run.seed,
                                                    run.photographs == "plain" ? "" : ", " + run.photographs);
                               },
                               [](const PlannedClassifier& run) {
                                 return concat_text("classifier of ", run.task, ", ", run.normalization,
                                                    ", seed ", run.seed);
                               },
                               [](const PlannedExperiment& each) {
                                 return concat_text(each.experiment->name, ", ", each.training.name);
                               }},
                    job);
}

Index units_of(const ComparisonJob& job, const ComparisonSettings& settings) {
  return std::visit(
      Overloaded{
          [&](const PlannedRun& run) { return units_of_steps(run, settings, settings.training.steps); },
          [&](const PlannedClassifier&) { return settings.classifier_steps; },
          [](const PlannedExperiment& each) { return 1 + units_of_pictures(each.training.pictures); }},
      job);
}

// The style network's multiplications for a pixel, by its width and blocks, and about as much time as 92,000
// of them take for what does not depend on these, the loss network mostly: measured in the two presets, where
// a unit is 17 ms and 74 ms of a core, and a classifier's step 6 ms.
Index units_of_steps(const PlannedRun& run, const ComparisonSettings& settings, Index steps) {
  const double width = static_cast<double>(settings.training.network.width),
               blocks = static_cast<double>(settings.training.network.blocks),
               side = static_cast<double>(settings.training.crop);
  const double of_pixel = 92e3 + 486 * width + (45 + 18 * blocks) * width * width;
  return steps * (1 + run.batch) * std::max<Index>(1, std::llround(side * side * of_pixel / 3.1e8));
}

bool is_done(const ComparisonJob& job, const Comparison& comparison) {
  if (const auto* each = std::get_if<PlannedExperiment>(&job)) {
    return each->experiment->has(comparison.experiments, each->training.name);
  }
  const std::string name = name_of(job);
  return has(comparison.runs, name) || has(comparison.classification, name) || has(comparison.failures, name);
}

Comparison failed(const ComparisonJob& job, const std::string& reason) {
  FailedTraining failure{.normalization = {}, .reason = reason};
  if (const auto* run = std::get_if<PlannedRun>(&job)) {
    failure.normalization = run->normalization;
    failure.batch = run->batch;
    failure.seed = run->seed;
    failure.photographs = run->photographs;
  } else if (const auto* classifier = std::get_if<PlannedClassifier>(&job)) {
    failure.task = classifier->task;
    failure.normalization = classifier->normalization;
    failure.seed = classifier->seed;
  }
  return {.failures = {failure}};
}

void add_results(const Comparison& part, const std::vector<ComparisonJob>& jobs,
                 const ComparisonSettings& settings, Comparison& whole) {
  std::map<std::string, std::size_t> places;
  for (const ComparisonJob& job : jobs) {
    places.emplace(name_of(job), places.size());
  }
  add(part.runs, places, whole.runs);
  add(part.classification, places, whole.classification);
  add(part.failures, places, whole.failures);
  for (const Experiment* experiment : experiments()) {
    experiment->add(part.experiments, settings.experiment, whole.experiments);
  }
}

}  // namespace gesso
