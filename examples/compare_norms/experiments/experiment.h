// The experiments of compare-norms: each asks one question, by a grid of short trainings, and answers it in a
// section of the page. To add one: a struct with kFields (experiment_fields.h) for what one training yields,
// unless StackRun will do; a vector of them in ExperimentResults; a file here that defines a TypedExperiment;
// its line in experiments.cpp.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "compare_norms/classification_task.h"
#include "experiment_results.h"
#include "experiment_settings.h"
#include "gesso/training/report/report.h"

namespace gesso {

/// A training that an experiment asks for.
struct PlannedTraining {
  std::string name;  ///< "group-batch4-seed2": no other of the experiment has it
  Index pictures;    ///< that it sees: about how long it takes
};

/// What came of a training, in numbers for tables and curves.
struct TrainingNumbers {
  std::string name;           ///< as planned
  std::string normalization;  ///< "group"
  std::string setting;        ///< what else its name says but the seed: "batch 4"; empty if nothing
  Index steps = 0;
  std::vector<double> values = {};       ///< of each of Experiment::measures(); NaN if it diverged
  std::vector<ReportCurve> curves = {};  ///< what was recorded on the way, over the steps
};

/// Called with how many pictures a training has seen; when it returns false, the training ends without a result.
using AfterPictures = std::function<bool(Index pictures)>;

class Experiment {
 public:
  virtual ~Experiment() = default;

  std::string name;      ///< "batch-size": in --experiments and of files; in results.json with _ for -
  std::string title;     ///< of its section
  std::string question;  ///< one sentence
  std::string source;    ///< who asked first: paper and figure

  /// All trainings, in order.
  virtual std::vector<PlannedTraining> plan(const ExperimentSettings& settings) const = 0;
  /// Whether the results have the training of that name.
  virtual bool has(const ExperimentResults& results, const std::string& training) const = 0;
  /// Does the planned training of that name: results with this one alone. One that diverges is a result as
  /// well; nothing after `after_pictures` returned false.
  virtual std::optional<ExperimentResults> train(const std::string& training,
                                                 const ExperimentSettings& settings,
                                                 const ClassificationTask& task,
                                                 const AfterPictures& after_pictures) const = 0;
  /// Puts what train() returned among the results, in the order of the plan.
  virtual void add(const ExperimentResults& trained, const ExperimentSettings& settings,
                   ExperimentResults& results) const = 0;
  /// How many trainings the results have.
  virtual Index count(const ExperimentResults& results) const = 0;
  /// Of the trainings so far, of which there must be one.
  virtual ReportSection section(const ExperimentResults& results) const = 0;
  /// What is measured of a training: "training loss".
  virtual std::vector<std::string> measures() const = 0;
  /// Of each training, in the order of the plan.
  virtual std::vector<TrainingNumbers> numbers(const ExperimentResults& results) const = 0;
  /// A line for each training, with all that it yields; lists as numbers with spaces between.
  virtual std::string csv(const ExperimentResults& results) const = 0;
};

/// All of them, in the order of the page.
const std::vector<const Experiment*>& experiments();

/// Their names.
std::vector<std::string> names_of_experiments();

/// Those of these names, in that order. Throws ArgumentError, with the names there are, for another one.
std::vector<const Experiment*> experiments_named(const std::vector<std::string>& names);

}  // namespace gesso
