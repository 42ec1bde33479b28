#include "compare_command.h"

#include <algorithm>
#include <cstdio>
#include <iostream>

#include "comparer.h"
#include "experiments/experiment.h"
#include "gesso/core/files/file.h"
#include "gesso/core/files/folder_lock.h"
#include "gesso/core/parallel.h"
#include "gesso/core/pictures/picture.h"
#include "gesso/core/system_limits.h"
#include "painting/memory_need.h"
#include "painting/model_file.h"
#include "program/interrupt.h"
#include "program/ranks.h"
#include "program/usage_error.h"

namespace gesso {
namespace {

namespace fs = std::filesystem;

using Settings = std::map<std::string, std::string>;

std::string value_of(const Settings& settings, const std::string& name) {
  const auto found = settings.find(name);
  return found == settings.end() || found->second.empty() ? "not given" : found->second;
}

// "seeds was 3 and is now 2; steps was 200 and is now 300"
std::string differences(const Settings& before, const Settings& now) {
  Settings names = before;
  names.insert(now.begin(), now.end());
  std::vector<std::string> texts;
  for (const auto& [name, value] : names) {
    const std::string was = value_of(before, name), is = value_of(now, name);
    if (was != is) {
      texts.push_back(concat_text(name, " was ", was, " and is now ", is));
    }
  }
  return listed(texts, "; ");
}

// What the folder holds already, or an empty comparison with these settings, which is then the first file in
// it.
Comparison begin_or_go_on(const fs::path& folder, const Settings& settings) {
  const fs::path results = folder / "results.json";
  if (fs::exists(results)) {
    Comparison comparison = read_results(results);
    if (const std::string text = differences(comparison.settings, settings); !text.empty()) {
      throw UsageError(concat_text("--out ", folder.string(),
                                   " holds a comparison with other settings: ", text,
                                   ". Give the same settings to go on with it, or name another folder"));
    }
    return comparison;
  }
  if (fs::exists(folder) && !(fs::is_directory(folder) && fs::is_empty(folder))) {
    throw UsageError(
        concat_text("--out ", folder.string(), " holds something else, not a comparison; name a new folder"));
  }
  fs::create_directories(folder);
  Comparison comparison{.origin = ComparisonOrigin::now(), .settings = settings};
  write_results(comparison, results);
  return comparison;
}

// What the largest training takes. Normalizations keep different amounts of what goes through them.
MemoryNeed memory_for_comparison(const ComparisonSettings& settings,
                                 const std::vector<std::string>& photographs, Index batch) {
  MemoryNeed most;
  for (const std::string& name : settings.normalizations) {
    const PlannedRun largest{.normalization = name, .batch = batch};
    const MemoryNeed need = memory_for_training(train_settings(largest, settings), photographs);
    most = need.total() > most.total() ? need : most;
  }
  return most;
}

// How many trainings run at the same time: `asked`, or for 0 as many as there are threads and memory for.
Index processes_for(Index asked, const MemoryNeed& each) {
  const auto fit = static_cast<Index>(static_cast<double>(available_memory()) / std::max(1.0, each.total()));
  if (asked > std::max<Index>(1, fit)) {
    throw UsageError(concat_text(
        "--jobs ", asked, " takes ", asked, " times ", gigabytes(each.total()), " of memory, and there are ",
        gigabytes(static_cast<double>(available_memory())), "; try --jobs ", std::max<Index>(1, fit)));
  }
  return asked > 0 ? asked : std::clamp<Index>(fit, 1, num_threads());
}

}  // namespace

void CompareCommand::run() {
  if (out.empty()) {
    throw UsageError("name a folder for the results by --out");
  }
  for (std::string* path : {&settings.style, &settings.training.content, &settings.painter, &settings.data,
                            &settings.training.loss_network.weights}) {
    if (!path->empty()) {
      *path = fs::weakly_canonical(*path).string();  // so that the same command from another folder goes on
    }
  }
  with_usage_errors("--", [&] { settings.check(); });
  const PhotographFiles photographs = split_photographs(settings.training.content);
  MemoryNeed memory;
  if (settings.comparison) {
    const Index batch = *std::max_element(settings.batch_sizes.begin(), settings.batch_sizes.end());
    memory = memory_for_comparison(settings, photographs.training, batch);
    require_memory_for_training({.batch = batch,
                                 .crop = settings.training.crop,
                                 .style_size = settings.training.style_size,
                                 .batch_option = "--batch-sizes"},
                                memory);
  }
  const Index processes = processes_for(jobs, memory);
  const LossJudge judge(train_settings({}, settings));  // reads the style picture
  if (needs_painter(plan(settings))) {
    load_style_network(settings.painter);  // found bad now, not after half of the trainings
  }
  std::vector<NamedTask> tasks = classification_tasks(settings, photographs);  // for the same reason
  Settings text = settings.to_text();
  text["photographs"] =
      concat_text(photographs.training.size(), " to train on, ", photographs.test.size(), " to test with");
  ProcessGroup& ranks = program_ranks();
  if (ranks.rank() > 0) {
    stop_gently_on_interrupt();
    Comparer(settings, photographs, judge, std::move(tasks), out, {}, 1, ranks).follow();
    interrupted = stop_requested();
    return;
  }
  Comparison comparison = begin_or_go_on(out, text);
  const FolderLock lock(out);
  write_file_atomically((out / "plan.toml").string(), plan_text);
  Comparer comparer(settings, photographs, judge, std::move(tasks), out, std::move(comparison), processes,
                    ranks);
  if (settings.comparison) {
    std::cerr << "Comparing " << listed(settings.normalizations, ", ") << " normalization on "
              << fs::path(settings.style).filename().string() << " in " << plan(settings).size()
              << " trainings of " << settings.training.steps << " steps" << memory.in_about()
              << (processes > 1 && memory.total() > 0 ? " for each of them at work" : "") << "\n";
  }
  for (const Experiment* experiment : experiments_named(settings.experiments)) {
    std::cerr << "Experiment " << experiment->name << ": " << experiment->plan(settings.experiment).size()
              << " short trainings\n";
  }
  std::cerr << "Watch " << (out / "report.html").string() << "\n";
  stop_gently_on_interrupt();
  interrupted = !comparer.run();
  if (interrupted) {
    std::cerr << "Stopped. The same command goes on where it was.\n";
  } else {
    std::cout << (out / "report.html").string() << "\n";
  }
}

}  // namespace gesso
