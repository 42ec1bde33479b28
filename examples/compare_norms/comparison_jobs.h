// All trainings of a comparison as one list: style networks, classifiers, and those of the experiments.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "comparison_settings.h"
#include "experiments/experiment.h"
#include "results.h"

namespace gesso {

/// A training of the small classifier.
struct PlannedClassifier {
  std::string task;  ///< the name of a ClassificationTaskRecord
  std::string normalization;
  std::uint64_t seed = 1;

  std::string name() const;  ///< "classifier-crops-batch-seed1"
};

/// A training of an experiment.
struct PlannedExperiment {
  const Experiment* experiment = nullptr;
  PlannedTraining training;
};

using ComparisonJob = std::variant<PlannedRun, PlannedClassifier, PlannedExperiment>;

/// In the order of the results: style networks seed by seed, the classifiers of each of the tasks, the experiments.
std::vector<ComparisonJob> comparison_jobs(const ComparisonSettings& settings,
                                           const std::vector<std::string>& tasks);

/// "batch, batch 4, seed 1", "classifier of crops, batch, seed 1", "batch-size, group-batch4-seed2"
std::string words_of(const ComparisonJob& job);

/// How long it takes, in units of about equal time: a step of a classifier is one, and so are 16 pictures in
/// an experiment.
Index units_of(const ComparisonJob& job, const ComparisonSettings& settings);
/// Of so many steps of a style network. A step on one picture costs about half of one on three.
Index units_of_steps(const PlannedRun& run, const ComparisonSettings& settings, Index steps);
inline Index units_of_pictures(Index pictures) { return pictures / 16; }

/// Whether the comparison has it, be it as a training that failed: it would fail again.
bool is_done(const ComparisonJob& job, const Comparison& comparison);

/// The result of a training that failed.
Comparison failed(const ComparisonJob& job, const std::string& reason);

/// Puts the runs, classifiers, failures and experiments of `part` among those of `whole`, in the order of `jobs`.
void add_results(const Comparison& part, const std::vector<ComparisonJob>& jobs,
                 const ComparisonSettings& settings, Comparison& whole);

}  // namespace gesso
