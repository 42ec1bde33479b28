// An experiment over trainings of one type.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "compare_norms/csv_fields.h"
#include "experiment.h"
#include "experiment_fields.h"

namespace gesso {

/// Run has a `name`, a `training` with steps and batch, and kFields.
template <class Run>
class TypedExperiment : public Experiment {
 public:
  std::vector<Run> ExperimentResults::*runs = nullptr;  ///< where they are kept
  /// The trainings, with a name and conditions, and nothing yet of what comes of them.
  std::vector<Run> (*planned)(const ExperimentSettings& settings) = nullptr;
  /// Fills in what comes of `run`; false after `after_pictures` returned false.
  bool (*do_training)(const ClassificationTask& task, Run& run,
                      const AfterPictures& after_pictures) = nullptr;
  /// The section, below the question; there is at least one run.
  std::vector<ReportBlock> (*blocks)(const std::vector<Run>& runs) = nullptr;

  std::vector<PlannedTraining> plan(const ExperimentSettings& settings) const override {
    std::vector<PlannedTraining> trainings;
    for (const Run& run : planned(settings)) {
      trainings.push_back({run.name, run.training.steps * run.training.batch});
    }
    return trainings;
  }

  bool has(const ExperimentResults& results, const std::string& training) const override {
    return std::any_of((results.*runs).begin(), (results.*runs).end(),
                       [&](const Run& run) { return run.name == training; });
  }

  std::optional<ExperimentResults> train(const std::string& training, const ExperimentSettings& settings,
                                         const ClassificationTask& task,
                                         const AfterPictures& after_pictures) const override {
    const std::vector<Run> plan = planned(settings);
    Run run = *std::find_if(plan.begin(), plan.end(), [&](const Run& each) { return each.name == training; });
    if (!do_training(task, run, after_pictures)) {
      return std::nullopt;
    }
    ExperimentResults results;
    (results.*runs).push_back(std::move(run));
    return results;
  }

  void add(const ExperimentResults& trained, const ExperimentSettings& settings,
           ExperimentResults& results) const override {
    const std::vector<Run> plan = planned(settings);
    const auto place_of = [&](const Run& run) {
      return std::find_if(plan.begin(), plan.end(), [&](const Run& each) { return each.name == run.name; });
    };
    std::vector<Run>& done = results.*runs;
    for (const Run& run : trained.*runs) {
      done.insert(std::find_if(done.begin(), done.end(),
                               [&](const Run& other) { return place_of(other) > place_of(run); }),
                  run);
    }
  }

  Index count(const ExperimentResults& results) const override {
    return static_cast<Index>((results.*runs).size());
  }

  ReportSection section(const ExperimentResults& results) const override {
    ReportSection section{title, blocks(results.*runs)};
    section.blocks.insert(section.blocks.begin(), ReportText{{question + " (" + source + ")"}});
    return section;
  }

  std::string csv(const ExperimentResults& results) const override { return csv_of(results.*runs); }
};

}  // namespace gesso
