#include "gesso/training/training_loop.h"

#include <chrono>
#include <cmath>
#include <cstdio>
#include <memory>
#include <optional>

#include "gesso/core/error.h"
#include "gesso/training/report/progress.h"
#include "gesso/training/report/recorder.h"
#include "gesso/training/settings.h"

namespace gesso {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

std::string loss_text(const LogEntry& entry) {
  char text[32];
  std::snprintf(text, sizeof text, "loss %.3f", logged(entry, "loss").value());
  return text;
}

}  // namespace

Training::Training(Module& model, Optimizer& optimizer, TrainingOptions options,
                   std::function<BatchLoss()> next_loss)
    : model_(model),
      optimizer_(optimizer),
      options_(std::move(options)),
      next_loss_(std::move(next_loss)),
      highest_rate_(optimizer.lr()) {
  require(options_.steps >= 1, "training: steps is ", options_.steps, "; it must be at least 1");
}

double Training::learning_rate() const {
  return highest_rate_ * (options_.schedule ? options_.schedule(steps_done_) : 1);
}

LogEntry Training::step(const std::function<void()>& with_gradients) {
  model_.train();
  BatchLoss batch = next_loss_();
  const double loss = batch.loss.item(), lr = learning_rate();
  if (!std::isfinite(loss)) {
    throw DivergedError(concat_text("the loss is no longer a finite number after ", steps_done_,
                                    " steps; begin again with a lower learning rate (lr was ", highest_rate_,
                                    ")"));
  }
  optimizer_.zero_grad();
  batch.loss.backward();
  if (with_gradients) {
    with_gradients();
  }
  optimizer_.set_lr(lr);
  optimizer_.step();
  ++steps_done_;
  LogEntry entry = {{"step", static_cast<double>(steps_done_)}, {"loss", loss}};
  entry.insert(entry.end(), batch.numbers.begin(), batch.numbers.end());
  entry.emplace_back("lr", lr);
  return entry;
}

void Training::save(const std::filesystem::path& folder) const {
  Checkpoint checkpoint{.step = steps_done_,
                        .model = model_.state_dict(),
                        .optimizer = optimizer_.state_dict(),
                        .metadata = options_.metadata};
  if (!options_.command.empty()) {
    checkpoint.metadata["command"] = options_.command;
  }
  for (const auto& [name, generator] : generators_) {
    checkpoint.generators[name] = generator->state();
  }
  for (const auto& [name, pictures] : folders_) {
    checkpoint.metadata[name] = std::to_string(pictures->state().crops);
  }
  save_checkpoint(folder, checkpoint);
}

void Training::resume(const Checkpoint& checkpoint) {
  for (const auto& [name, generator] : generators_) {
    require(checkpoint.generators.contains(name), "resume: the checkpoint does not have the generator ",
            name);
  }
  std::vector<PictureFolder::State> positions;
  for (const auto& [name, pictures] : folders_) {
    require(checkpoint.metadata.contains(name), "resume: the checkpoint does not say how far ", name,
            " were read");
    SettingList{{name, &positions.emplace_back().crops}}.from_metadata(checkpoint.metadata);
  }
  model_.load_state_dict(checkpoint.model);
  optimizer_.load_state_dict(checkpoint.optimizer);
  for (const auto& [name, generator] : generators_) {
    generator->set_state(checkpoint.generators.at(name));
  }
  for (std::size_t i = 0; i < folders_.size(); ++i) {
    folders_[i].second->set_state(positions[i]);
  }
  steps_done_ = checkpoint.step;
}

std::vector<std::string> Training::take_warnings() {
  std::vector<std::string> warnings;
  for (const auto& [name, pictures] : folders_) {
    for (std::string& warning : pictures->take_warnings()) {
      warnings.push_back(std::move(warning));
    }
  }
  return warnings;
}

bool train(Training& training, const RunFolder& folder, const TrainingLoopOptions& options) {
  const Index steps = training.steps();
  const auto steps_left = [&] { return training.steps_done() < steps; };

  LogWriter log(folder.log(), training.steps_done() > 0 ? training.steps_done() : -1);
  std::vector<LogEntry> entries = read_log(folder.log());
  const double seconds_before = entries.empty() ? 0 : logged(entries.back(), "seconds").value_or(0);

  std::function<void()> with_gradients;
  std::unique_ptr<NormalizationRecorder> recorder;
  if (options.record_every > 0) {
    recorder = std::make_unique<NormalizationRecorder>(
        training.model(), folder.record(),
        NormalizationRecorderOptions{.every = options.record_every, .first_step = training.steps_done() + 1});
    with_gradients = [&] { recorder->end_step(); };
  }
  std::optional<ProgressBar> bar;
  if (options.bar) {
    bar.emplace("Training", steps, training.steps_done());
  }

  const Clock::time_point begin = Clock::now();
  Clock::time_point saved = begin;
  const auto save = [&] {
    if (options.samples) {
      options.samples(training.steps_done());
    }
    training.save(folder.checkpoint());
    if (options.report) {
      Report page = options.report(entries);
      if (steps_left()) {
        page.progress =
            ReportProgress{static_cast<double>(training.steps_done()) / static_cast<double>(steps),
                           concat_text("step ", training.steps_done(), " of ", steps)};
      }
      page.write(folder.report());
    }
    saved = Clock::now();
  };

  while (steps_left() && !(options.stop && options.stop())) {
    LogEntry entry = training.step(with_gradients);
    const Index step = training.steps_done();
    const bool due = options.save_every > 0 && step % options.save_every == 0;
    if (options.test && (due || !steps_left())) {
      const LogEntry numbers = options.test();
      entry.insert(entry.end(), numbers.begin(), numbers.end());
    }
    entry.emplace_back("seconds", seconds_before + seconds_since(begin));
    log.write(entry);
    entries.push_back(entry);
    if (bar) {
      for (const std::string& warning : training.take_warnings()) {
        bar->message(options.program.empty() ? warning : options.program + ": " + warning);
      }
      bar->update(step, options.status ? options.status(entry) : loss_text(entry));
    }
    if (options.after_step) {
      options.after_step(step, entry);
    }
    if (steps_left() && (due || (options.save_seconds > 0 && seconds_since(saved) >= options.save_seconds))) {
      save();
    }
  }
  save();
  return !steps_left();
}

}  // namespace gesso
