#include "study.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "comparison_settings.h"
#include "gesso/autograd/graph.h"
#include "gesso/core/error.h"
#include "gesso/core/files/folder_lock.h"
#include "gesso/core/files/safetensors.h"
#include "gesso/training/optim/adam.h"
#include "gesso/training/optim/schedule.h"
#include "gesso/training/report/progress.h"
#include "gesso/training/training_loop.h"
#include "program/interrupt.h"
#include "result_fields.h"
#include "study_page.h"
#include "tally.h"

namespace gesso {

template <>
inline constexpr auto kFields<StudyRun> =
    std::tuple{std::pair{"normalization", &StudyRun::normalization},
               std::pair{"batch", &StudyRun::batch},
               std::pair{"seed", &StudyRun::seed},
               std::pair{"step", &StudyRun::step},
               std::pair{"loss", &StudyRun::loss},
               std::pair{"training", &StudyRun::training},
               std::pair{"test", &StudyRun::test},
               std::pair{"test_train_mode", &StudyRun::test_train_mode}};

template <>
inline constexpr auto kFields<StudyResults> =
    std::tuple{std::pair{"origin", &StudyResults::origin}, std::pair{"settings", &StudyResults::settings},
               std::pair{"runs", &StudyResults::runs}, std::pair{"failures", &StudyResults::failures}};

namespace {

namespace fs = std::filesystem;

constexpr Index kRecords = 40;  // of the normalization layers, in a training

void check(const Study& study) {
  require(study.network && study.batches && study.loss, "run_study: the study lacks ",
          !study.network   ? "network"
          : !study.batches ? "batches"
                           : "loss");
  require(study.normalizations.size() >= 2, "run_study: normalizations has ", study.normalizations.size(),
          "; name at least two to compare");
  require(!study.batch_sizes.empty(), "run_study: batch_sizes is empty; name at least one");
  require(study.seeds >= 1 && study.steps >= 1, "run_study: seeds is ", study.seeds, " and steps is ",
          study.steps, "; both must be at least 1");
  require(std::isfinite(study.learning_rate) && study.learning_rate > 0, "run_study: learning_rate is ",
          study.learning_rate, "; it must be above 0");
  for (const Index size : study.batch_sizes) {
    require(size >= 1, "run_study: batch_sizes has ", size, "; each must be at least 1");
  }
}

std::map<std::string, std::string> settings_of(const Study& study) {
  return {{"title", study.title},
          {"normalizations", listed(study.normalizations)},
          {"batch_sizes", listed(study.batch_sizes)},
          {"seeds", concat_text(study.seeds)},
          {"steps", concat_text(study.steps)},
          {"learning_rate", concat_text(study.learning_rate)}};
}

// What the folder holds, or a study that has not begun.
StudyResults begin_or_go_on(const Study& study, const fs::path& folder) {
  const fs::path path = folder / "results.json";
  if (!fs::exists(path)) {
    return {.origin = ComparisonOrigin::now(), .settings = settings_of(study)};
  }
  StudyResults results = read_struct<StudyResults>(path, "results.json of a study");
  require(results.settings == settings_of(study), "run_study: ", folder.string(),
          " holds a study with other settings; name another folder");
  return results;
}

template <class Run>
bool is(const Run& run, const StudyRun& planned) {
  return run.normalization == planned.normalization && run.batch == planned.batch && run.seed == planned.seed;
}

bool has(const StudyResults& results, const StudyRun& planned) {
  const auto is_it = [&](const auto& run) { return is(run, planned); };
  return std::any_of(results.runs.begin(), results.runs.end(), is_it) ||
         std::any_of(results.failures.begin(), results.failures.end(), is_it);
}

std::vector<StudyRun> plan(const Study& study) {
  std::vector<StudyRun> runs;
  for (Index seed = 1; seed <= study.seeds; ++seed) {
    for (const Index batch : study.batch_sizes) {
      for (const std::string& normalization : study.normalizations) {
        runs.push_back(
            {.normalization = normalization, .batch = batch, .seed = static_cast<std::uint64_t>(seed)});
      }
    }
  }
  return runs;
}

// Trains and measures `run`; false after stop_requested().
bool train_run(const Study& study, const fs::path& folder, StudyRun& run,
               const std::function<void(Index step)>& after_step) {
  Generator weights(run.seed), draws(run.seed + (std::uint64_t{1} << 32));
  const std::unique_ptr<Module> network = study.network(run.normalization, weights);
  Adam adam(network->parameters(), {.lr = study.learning_rate});
  Training training(
      *network, adam,
      {.steps = study.steps,
       .schedule = WarmupCosine{.warmup = study.steps / 10, .total = study.steps, .floor = 0.01}},
      [&]() -> BatchLoss {
        const StudyBatch batch = study.batches(run.batch, draws);
        return {study.loss((*network)(batch.input), batch)};
      });
  training.keep("batches", draws);
  const RunFolder own{folder / "runs" / study_run_name(run)};
  fs::create_directories(own.root);
  if (has_checkpoint(own.checkpoint())) {
    training.resume(load_checkpoint(own.checkpoint()));
  }
  if (!train(training, own,
             {.stop = stop_requested,
              .save_seconds = 60,
              .record_every = run.seed == 1 ? std::max<Index>(1, study.steps / kRecords) : 0,
              .bar = false,
              .after_step = [&](Index step, const LogEntry&) { after_step(step); }})) {
    return false;
  }
  const std::vector<LogEntry> log = read_log(own.log());
  run.step = log_curve(log, "step", "").y;
  run.loss = log_curve(log, "loss", "").y;
  run.training = mean_of_last_tenth(run.loss);
  save_safetensors(own.model().string(), network->state_dict());
  const NoGradGuard no_grad;
  network->eval();
  run.test = study.loss((*network)(study.test.input), study.test).item();
  network->train();
  run.test_train_mode = study.loss((*network)(study.test.input), study.test).item();
  return true;
}

}  // namespace

std::string study_run_name(const StudyRun& run) {
  return concat_text(run.normalization, "-batch", run.batch, "-seed", run.seed);
}

StudyResults run_study(const Study& study, const fs::path& folder) {
  check(study);
  fs::create_directories(folder);
  const FolderLock lock(folder);
  StudyResults results = begin_or_go_on(study, folder);
  const std::vector<StudyRun> runs = plan(study);
  const auto total = static_cast<Index>(runs.size()) * study.steps;
  const Index begun = study.steps * std::count_if(runs.begin(), runs.end(),
                                                  [&](const StudyRun& run) { return has(results, run); });
  ProgressBar bar("Comparing", total, begun);
  Index done = begun;
  for (StudyRun run : runs) {
    if (has(results, run)) {
      continue;
    }
    const std::string words = concat_text(run.normalization, ", batch ", run.batch, ", seed ", run.seed);
    try {
      if (!train_run(study, folder, run, [&](Index step) { bar.update(done + step, words); })) {
        break;
      }
      results.runs.push_back(run);
    } catch (const DivergedError& error) {
      results.failures.push_back(
          {.normalization = run.normalization, .batch = run.batch, .seed = run.seed, .reason = error.what()});
      bar.message(results.failures.back().str());
    }
    done += study.steps;
    write_struct(results, folder / "results.json", "results.json of a study with gesso");
    study_report(results, folder).write((folder / "report.html").string());
    fs::remove_all(RunFolder{folder / "runs" / study_run_name(run)}.checkpoint());
  }
  return results;
}

}  // namespace gesso
