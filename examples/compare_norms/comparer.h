// The work of a comparison: its trainings, one after the other or several at once.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "classification_task.h"
#include "compare_progress.h"
#include "comparison_jobs.h"
#include "comparison_settings.h"
#include "gesso/core/process_group.h"
#include "measures.h"
#include "painting/style_network.h"
#include "photographs.h"
#include "program/worker_processes.h"
#include "quality.h"
#include "results.h"

namespace gesso {

/// A task for the classifiers, and its name: see ClassificationTaskRecord.
struct NamedTask {
  std::string name;
  ClassificationTask task;
};

/// The tasks of the classifiers, crops of photographs first, which the experiments learn too. Throws FileError for
/// pictures that cannot be read.
std::vector<NamedTask> classification_tasks(const ComparisonSettings& settings, const PhotographFiles& files);

class Comparer {
 public:
  /// Goes on from `comparison`, whose settings are `settings`, with a training in each of so many processes at the same
  /// time. `judge` must outlive it. Of several ranks, the first calls run() and the others follow(); style
  /// networks are then trained one after the other, and whole classifiers and experiments on each rank, one at a time.
  Comparer(const ComparisonSettings& settings, PhotographFiles files, const LossJudge& judge,
           std::vector<NamedTask> tasks, std::filesystem::path folder, Comparison comparison, Index processes,
           ProcessGroup& ranks = single_process());

  /// Does what is not in the comparison yet, and keeps its files up to date. Returns whether everything is
  /// done: false after stop_requested().
  bool run();
  /// Takes part in the trainings of rank 0 whose batches have a sample for each rank, and then does its share
  /// of the classifiers and experiments.
  void follow();

 private:
  // Photographs in one of their forms: plain, contrast-normalized, style-normalized.
  struct Material {
    std::vector<std::string> training;
    Tensor test;  // the middle squares, (N, 3, crop, crop)
  };

  bool do_jobs(const std::vector<std::size_t>& numbers, Index processes);
  bool do_jobs_on_ranks(const std::vector<std::size_t>& numbers);
  void add(std::size_t number, const Comparison& part);
  // Each returns nothing after stop_requested().
  std::optional<Comparison> train_here(std::size_t number);
  std::optional<Comparison> train(std::size_t number, const JobProgress& progress);
  std::optional<Comparison> train_and_measure(std::size_t number, const PlannedRun& planned,
                                              const JobProgress& progress);
  std::optional<Comparison> classify(const PlannedClassifier& planned,
                                     const std::function<bool(Index steps)>& after_step) const;

  ProcessGroup& trainers(std::size_t number, const PlannedRun& planned);

  const Material& material_of(const std::string& kind);
  void show_photographs();
  void show_tasks();
  void paint(StyleNetwork& network, const PlannedRun& planned, ComparisonRun& run) const;
  void save(bool finished);

  // Paths in the run folder.
  std::filesystem::path run_folder(const PlannedRun& planned) const {
    return folder_ / "runs" / planned.name();
  }

  const ComparisonSettings settings_;
  const PhotographFiles files_;
  const LossJudge& judge_;
  const QualityJudge quality_;
  const std::vector<NamedTask> tasks_;
  const std::filesystem::path folder_;
  const std::vector<ComparisonJob> jobs_;
  Comparison comparison_;
  ProcessGroup& ranks_;
  std::vector<Tensor> shown_;  // the test photographs as they are shown
  std::map<std::string, Material> materials_;
  const Index processes_;
  CompareProgress progress_;
  std::chrono::steady_clock::time_point page_written_{};
};

}  // namespace gesso
