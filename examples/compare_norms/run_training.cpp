#include "run_training.h"

#include <algorithm>
#include <cstdio>
#include <numeric>

#include "gesso/core/pictures/picture.h"
#include "gesso/training/training_loop.h"
#include "painting/model_file.h"
#include "painting/stylize.h"
#include "painting/training_run.h"
#include "program/interrupt.h"
#include "tally.h"

namespace gesso {
namespace {

namespace fs = std::filesystem;
constexpr Index kRecords = 40;
constexpr std::size_t kSamples = 6;

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

std::vector<Index> sample_steps(Index steps) {
  std::vector<Index> list;
  for (Index step = steps; step >= 1 && list.size() < kSamples; step /= 2) {
    list.insert(list.begin(), step);
  }
  return list;
}

fs::path sample_file(const RunFolder& folder, Index step) {
  char name[32];
  std::snprintf(name, sizeof name, "%06lld.jpg", static_cast<long long>(step));
  return folder.samples() / name;
}

bool run_training(const TrainSettings& settings, const std::vector<std::string>& photographs,
                  const RunFolder& folder, const TrainingWatch& watch, ProcessGroup& ranks) {
  if (fs::exists(folder.model())) {
    return true;
  }
  fs::create_directories(folder.root);
  TrainingRun run(settings, photographs, ranks);
  if (has_checkpoint(folder.checkpoint())) {
    run.training().resume(load_checkpoint(folder.checkpoint()));
  }
  std::vector<Index> samples;
  if (watch.sample.defined()) {
    samples = sample_steps(settings.steps);
    fs::create_directories(folder.samples());
  }
  const auto after_step = [&](Index step, const LogEntry& entry) {
    if (std::find(samples.begin(), samples.end(), step) != samples.end()) {
      run.network().eval();  // the next step goes back to training mode
      save_picture(sample_file(folder, step).string(), stylize(run.network(), watch.sample));
    }
    if (watch.after_step) {
      watch.after_step(step, entry);
    }
  };
  if (!train(run.training(), folder,
             {.stop = stop_requested,
              .save_seconds = 60,
              .record_every = watch.record ? std::max<Index>(1, settings.steps / kRecords) : 0,
              .bar = false,
              .after_step = after_step})) {
    return false;
  }
  if (ranks.rank() > 0) {
    return true;
  }
  run.network().eval();
  save_style_network(folder.model(), run.network(), settings);
  fs::remove_all(folder.checkpoint());
  return true;
}

void read_curves(const RunFolder& folder, ComparisonRun& run) {
  const std::vector<LogEntry> log = read_log(folder.log());
  const auto curve = [&](const char* name) {
    std::vector<double> values = log_curve(log, name, name).y;
    require(!values.empty() && values.size() == log.size(), folder.log().string(), ": it has no ", name,
            " for every step");
    return values;
  };
  run.step = curve("step");
  run.total = curve("loss");
  run.content = curve("content");
  run.style = curve("style");
  std::vector<double> seconds = curve("seconds");
  std::adjacent_difference(seconds.begin(), seconds.end(), seconds.begin());
  run.seconds_per_step = median(seconds);
  run.training = {mean_of_last_tenth(run.total), mean_of_last_tenth(run.content),
                  mean_of_last_tenth(run.style)};
}

}  // namespace gesso
