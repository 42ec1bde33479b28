#include "gesso/training/training_loop.h"

#include <chrono>
#include <cmath>
#include <cstdio>
#include <memory>
#include <optional>

#include "gesso/core/error.h"
#include "gesso/core/finite.h"
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

// The first of `tensors` that holds a NaN or an infinity, or "".
std::string first_not_finite(const StateDict& tensors) {
  for (const auto& [name, tensor] : tensors) {
    if (!all_finite(tensor)) {
      return name;
    }
  }
  return "";
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

// Why the training cannot go on: what is not finite (`what`, before any weight has moved), and where it came from.
void Training::fail_at(const std::string& what) const {
  const std::string weight = first_not_finite(model_.state_dict());
  const bool at_once = steps_done_ == first_step_;
  if (!weight.empty() && at_once) {
    throw DivergedError(
        concat_text(what, ", and so was ", weight,
                    " before the first step: the checkpoint or model that the training began with "
                    "is spoilt; begin with another one"));
  }
  throw DivergedError(concat_text(
      what, weight.empty() ? "" : concat_text("; ", weight, " is not either"),
      "; the last checkpoint is whole. ",
      at_once ? "Nothing has been learnt yet: look at the pictures and the weights of the losses"
              : concat_text("Begin again with a lower learning rate (lr was ", highest_rate_, ")")));
}

void Training::require_finite() const {
  if (const std::string name = first_not_finite(model_.state_dict()); !name.empty()) {
    fail_at(concat_text("step ", steps_done_, ": ", name, " is no longer finite"));
  }
  if (const std::string name = first_not_finite(optimizer_.state_dict()); !name.empty()) {
    fail_at(concat_text("step ", steps_done_, ": the optimizer's ", name, " is no longer finite"));
  }
}

void Training::require_finite_gradients(double loss) const {
  for (const Tensor& parameter : optimizer_.parameters()) {
    if (const Tensor gradient = parameter.grad(); !gradient.defined() || all_finite(gradient)) {
      continue;
    }
    std::string name = concat_text("a parameter of shape ", parameter.shape());
    for (const auto& [its_name, candidate] : model_.named_parameters()) {
      if (candidate.is(parameter)) {
        name = its_name;
      }
    }
    fail_at(concat_text("step ", steps_done_ + 1, ": the gradient of ", name, " is not finite (the loss is ",
                        loss, ")"));
  }
}

LogEntry Training::step(const std::function<void()>& with_gradients) {
  model_.train();
  BatchLoss batch = next_loss_();
  const double loss = batch.loss.item(), lr = learning_rate();
  if (!std::isfinite(loss)) {
    fail_at(concat_text("step ", steps_done_ + 1, ": the loss is ", loss, ", not a finite number"));
  }
  optimizer_.zero_grad();
  batch.loss.backward();
  require_finite_gradients(loss);
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
  require_finite();
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
  require(checkpoint.step >= 0 && checkpoint.step <= options_.steps, "resume: the checkpoint is at step ",
          checkpoint.step, " of ", options_.steps);
  for (const StateDict* state : {&checkpoint.model, &checkpoint.optimizer}) {
    const std::string name = first_not_finite(*state);
    require(
        name.empty(), "resume: ", name,
        " in the checkpoint is not finite: it was saved by a training that had diverged; begin again with a "
        "lower learning rate");
  }
  for (const auto& [name, generator] : generators_) {
    require(checkpoint.generators.contains(name), "resume: the checkpoint does not have the generator ",
            name);
  }
  std::vector<PictureFolder::State> positions;
  for (const auto& [name, pictures] : folders_) {
    require(checkpoint.metadata.contains(name), "resume: the checkpoint does not say how far ", name,
            " were read");
    Index& crops = positions.emplace_back().crops;
    SettingList{{name, &crops}}.from_metadata(checkpoint.metadata);
    require(crops >= 0, "resume: the checkpoint says that ", crops, " crops of ", name, " were read");
  }
  model_.load_state_dict(checkpoint.model);
  optimizer_.load_state_dict(checkpoint.optimizer);
  for (const auto& [name, generator] : generators_) {
    generator->set_state(checkpoint.generators.at(name));
  }
  for (std::size_t i = 0; i < folders_.size(); ++i) {
    folders_[i].second->set_state(positions[i]);
  }
  steps_done_ = first_step_ = checkpoint.step;
  if (!checkpoint.warning.empty()) {
    warnings_.push_back(checkpoint.warning);
  }
}

std::vector<std::string> Training::take_warnings() {
  std::vector<std::string> warnings = std::exchange(warnings_, {});
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

  folder.lock();
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

  const auto warn = [&](const std::string& warning) {
    if (bar) {
      bar->message(options.program.empty() ? warning : options.program + ": " + warning);
    }
  };
  for (const std::string& line : log.damaged()) {
    warn(line + "; it is left out");
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

  if (training.steps_done() == 0) {
    training.save(folder.checkpoint());  // so that a run that is killed soon can be gone on with
  }
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
        warn(warning);
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
