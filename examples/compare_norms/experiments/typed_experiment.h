// An experiment over trainings of one type.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "compare_norms/csv_fields.h"
#include "experiment.h"
#include "experiment_fields.h"

namespace gesso {

/// "batch 4" of "group-batch4-seed2".
std::string setting_in(const std::string& training, const std::string& normalization);

/// Run has a `name`, "NORMALIZATION-SETTING-seedN" or "NORMALIZATION-seedN", a `network`, a `training` with steps and
/// batch, and kFields; what it records, over `step`.
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

  /// What tables have of a training.
  std::vector<std::pair<std::string, double (*)(const Run& run)>> measured = {};
  /// What is recorded at each of the run's `step`.
  std::vector<std::pair<std::string, std::vector<double> Run::*>> recorded = {};

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

  std::vector<std::string> measures() const override {
    std::vector<std::string> names;
    for (const auto& [name, measure] : measured) {
      names.push_back(name);
    }
    return names;
  }

  std::vector<TrainingNumbers> numbers(const ExperimentResults& results) const override {
    std::vector<TrainingNumbers> list;
    for (const Run& run : results.*runs) {
      TrainingNumbers numbers{run.name, run.network.normalization,
                              setting_in(run.name, run.network.normalization), run.training.steps};
      for (const auto& [name, measure] : measured) {
        numbers.values.push_back(measure(run));
      }
      if constexpr (requires { run.step; }) {
        for (const auto& [name, values] : recorded) {
          numbers.curves.push_back({.name = name, .x = run.step, .y = run.*values});
        }
      }
      list.push_back(std::move(numbers));
    }
    return list;
  }

  ReportSection section(const ExperimentResults& results) const override {
    ReportSection section{title, blocks(results.*runs)};
    section.blocks.insert(section.blocks.begin(), ReportText{{question + " (" + source + ")"}});
    return section;
  }

  std::string csv(const ExperimentResults& results) const override { return csv_of(results.*runs); }
};

}  // namespace gesso
