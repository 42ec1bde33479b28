#include "run_training.h"

#include <algorithm>
#include <chrono>
#include <memory>

#include "gesso/training/checkpoint.h"
#include "gesso/training/report/log.h"
#include "gesso/training/report/recorder.h"
#include "painting/model_file.h"
#include "painting/training_run.h"
#include "program/interrupt.h"

namespace gesso {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr Index kRecords = 40;
constexpr std::chrono::seconds kBetweenCheckpoints{60};

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

double value_of(const LogEntry& entry, const std::string& name) {
  for (const auto& [each, value] : entry) {
    if (each == name) {
      return value;
    }
  }
  throw FileError(concat_text("the log has no ", name));
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

bool run_training(const TrainSettings& settings, const std::vector<std::string>& photographs,
                  const TrainingFolder& folder, const TrainingWatch& watch) {
  if (fs::exists(folder.model())) {
    return true;
  }
  fs::create_directories(folder.root);
  TrainingRun run(settings, photographs);
  if (has_checkpoint(folder.checkpoint())) {
    run.resume(load_checkpoint(folder.checkpoint()));
  }
  LogWriter log(folder.log().string(), run.steps_done() > 0 ? run.steps_done() : -1);
  const std::vector<LogEntry> before = read_log(folder.log().string());
  const double seconds_before = before.empty() ? 0 : value_of(before.back(), "seconds");
  std::unique_ptr<NormalizationRecorder> recorder;
  if (watch.record) {
    const Index every = std::max<Index>(1, settings.steps / kRecords);
    recorder = std::make_unique<NormalizationRecorder>(
        run.network(), folder.record().string(),
        NormalizationRecorderOptions{.every = every, .first_step = run.steps_done() + 1});
  }
  const auto with_gradients = [&] {
    if (recorder) {
      recorder->end_step();
    }
  };

  const Clock::time_point begin = Clock::now();
  Clock::time_point saved = begin;
  while (run.steps_done() < settings.steps && !stop_requested()) {
    const double learning_rate = run.learning_rate();
    const Losses losses = run.step(with_gradients);
    log.write(log_entry(run.steps_done(), losses, learning_rate, seconds_before + seconds_since(begin)));
    if (watch.after_step) {
      watch.after_step(run.steps_done(), losses);
    }
    if (Clock::now() - saved >= kBetweenCheckpoints) {
      run.save(folder.checkpoint());
      saved = Clock::now();
    }
  }
  if (run.steps_done() < settings.steps) {
    run.save(folder.checkpoint());
    return false;
  }
  run.network().eval();
  save_style_network(folder.model().string(), run.network(), settings);
  fs::remove_all(folder.checkpoint());
  return true;
}

void read_curves(const TrainingFolder& folder, ComparisonRun& run) {
  const std::vector<LogEntry> log = read_log(folder.log().string());
  require(!log.empty(), folder.log().string(), ": the log is empty");
  std::vector<double> seconds;
  double before = 0;
  for (const LogEntry& entry : log) {
    run.step.push_back(value_of(entry, "step"));
    run.total.push_back(value_of(entry, "loss"));
    run.content.push_back(value_of(entry, "content"));
    run.style.push_back(value_of(entry, "style"));
    seconds.push_back(value_of(entry, "seconds") - before);
    before += seconds.back();
  }
  run.seconds_per_step = median(seconds);
  const std::size_t last = std::max<std::size_t>(1, log.size() / 10);
  const auto mean_of_last = [&](const std::vector<double>& curve) {
    double sum = 0;
    for (std::size_t i = curve.size() - last; i < curve.size(); ++i) {
      sum += curve[i] / static_cast<double>(last);
    }
    return sum;
  };
  run.training = {mean_of_last(run.total), mean_of_last(run.content), mean_of_last(run.style)};
}

}  // namespace gesso
