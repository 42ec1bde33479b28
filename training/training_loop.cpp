#include "gesso/training/training_loop.h"

#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "gesso/autograd/batch_share.h"
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

// A number that two tensors have in common only if all their bits are the same, as far as chance allows.
std::uint64_t hash_of(const Tensor& tensor, std::uint64_t hash) {
  with_dtype(tensor.dtype(), [&]<class T>() {
    const T* values = tensor.data<T>();
    for (Index i = 0; i < tensor.numel(); ++i) {
      std::uint64_t bits = 0;
      std::memcpy(&bits, values + i, sizeof(T));
      hash = (hash ^ bits) * 0x9E3779B97F4A7C15u;
      hash ^= hash >> 32;
    }
  });
  return hash;
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
  require(!options_.ranks || options_.batch >= options_.ranks->size(), "training: a batch of ",
          options_.batch, " for ", ranks().size(),
          " processes; each needs a sample: start fewer, or use a larger batch");
}

void Training::keep(const std::string& name, PictureFolder& pictures, Given given) {
  if (options_.ranks && given == Given::share) {
    const BatchShare share(*options_.ranks, options_.batch);
    pictures.set_share(share.first(), share.count());
  }
  folders_.emplace_back(name, &pictures);
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

// Ranks compute with the same numbers as long as their gradients are the same.
void Training::require_equal_gradients() const {
  if (ranks().size() == 1) {
    return;
  }
  std::uint64_t hash = 0;
  for (const Tensor& parameter : optimizer_.parameters()) {
    if (const Tensor gradient = parameter.grad(); gradient.defined()) {
      hash = hash_of(gradient, hash);
    }
  }
  const std::vector<std::uint64_t> all = ranks().gather_each(hash);
  for (std::size_t r = 1; r < all.size(); ++r) {
    if (all[r] != all[0]) {
      throw Error(concat_text(
          "step ", steps_done_ + 1, ": the gradients of rank ", r,
          " are not those of rank 0: ", "do all computers have the same build and the same kind of CPU?"));
    }
  }
}

LogEntry Training::step(const std::function<void()>& with_gradients) {
  std::optional<BatchShareGuard> share;
  if (options_.ranks) {
    share.emplace(*options_.ranks, options_.batch);
  }
  model_.train();
  BatchLoss batch = next_loss_();
  const double loss = batch.loss.item(), lr = learning_rate();
  if (!std::isfinite(loss)) {
    fail_at(concat_text("step ", steps_done_ + 1, ": the loss is ", loss, ", not a finite number"));
  }
  optimizer_.zero_grad();
  batch.loss.backward();
  require_finite_gradients(loss);
  require_equal_gradients();
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
  if (ranks().rank() == 0) {
    save_checkpoint(folder, checkpoint());
  }
}

Checkpoint Training::checkpoint() const {
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
  return checkpoint;
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

namespace {

// What the ranks have agreed on between two steps.
struct Agreement {
  bool stop, save;
};

// Any rank may ask for the end; when it is time to save, rank 0 knows.
Agreement agree(ProcessGroup& ranks, bool stop, bool save) {
  std::vector<double> asked = {stop ? 1.0 : 0.0, save && ranks.rank() == 0 ? 1.0 : 0.0};
  if (ranks.size() > 1) {
    ranks.all_reduce(asked);
  }
  return {asked[0] > 0, asked[1] > 0};
}

// A training's last checkpoint in memory, which a thread of its own saves as soon as `stop` is true. For
// trainings whose steps may be longer than they are given to end: Open MPI's mpirun kills its ranks a second
// after Ctrl-C.
class LastStep {
 public:
  LastStep(std::filesystem::path folder, std::function<bool()> stop)
      : folder_(std::move(folder)), stop_(std::move(stop)), thread_([this] { watch(); }) {}
  ~LastStep() {
    {
      std::lock_guard lock(mutex_);
      over_ = true;
    }
    ended_.notify_all();
    thread_.join();
  }
  LastStep(const LastStep&) = delete;
  LastStep& operator=(const LastStep&) = delete;

  // Saves `checkpoint` should it come to that before the next is kept.
  void keep(Checkpoint checkpoint) {
    for (StateDict* state : {&checkpoint.model, &checkpoint.optimizer}) {
      for (auto& [name, tensor] : *state) {
        tensor = tensor.detach().clone();
      }
    }
    std::lock_guard lock(mutex_);
    last_ = std::move(checkpoint);
  }

  // While one lives, nothing is saved here.
  std::unique_lock<std::mutex> pause() { return std::unique_lock(mutex_); }

 private:
  void watch() {
    std::unique_lock lock(mutex_);
    while (!ended_.wait_for(lock, std::chrono::milliseconds(20), [this] { return over_; })) {
      if (stop_() && last_) {
        try {
          save_checkpoint(folder_, *last_);
        } catch (const Error&) {
          // The training's own attempt, after the step, says so.
        }
        return;
      }
    }
  }

  const std::filesystem::path folder_;
  const std::function<bool()> stop_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool over_ = false;
  std::optional<Checkpoint> last_;
  std::thread thread_;
};

// What rank 0 does beside the steps: everything that is seen of a training.
class Keeper {
 public:
  Keeper(Training& training, const RunFolder& folder, const TrainingLoopOptions& options)
      : training_(training),
        folder_(folder),
        options_(options),
        log_(folder.log(), training.steps_done() > 0 ? training.steps_done() : -1),
        entries_(read_log(folder.log())),
        seconds_before_(entries_.empty() ? 0 : logged(entries_.back(), "seconds").value_or(0)) {
    if (options.record_every > 0) {
      recorder_ = std::make_unique<NormalizationRecorder>(
          training.model(), folder.record(),
          NormalizationRecorderOptions{.every = options.record_every,
                                       .first_step = training.steps_done() + 1});
    }
    if (options.bar) {
      bar_.emplace("Training", training.steps(), training.steps_done());
    }
    if (training.ranks().size() > 1 && options.stop) {
      last_step_.emplace(folder.checkpoint(), options.stop);
    }
    for (const std::string& line : log_.damaged()) {
      warn(line + "; it is left out");
    }
  }

  std::function<void()> with_gradients() {
    return recorder_ ? std::function<void()>([this] { recorder_->end_step(); }) : nullptr;
  }

  // After a step: `due` every save_every steps.
  void note(LogEntry entry, bool due) {
    const Index step = training_.steps_done();
    if (options_.test && (due || step == training_.steps())) {
      const LogEntry numbers = options_.test();
      entry.insert(entry.end(), numbers.begin(), numbers.end());
    }
    entry.emplace_back("seconds", seconds_before_ + seconds_since(begin_));
    log_.write(entry);
    entries_.push_back(entry);
    if (last_step_) {
      last_step_->keep(training_.checkpoint());
    }
    if (bar_) {
      for (const std::string& warning : training_.take_warnings()) {
        warn(warning);
      }
      bar_->update(step, options_.status ? options_.status(entry) : loss_text(entry));
    }
    if (options_.after_step) {
      options_.after_step(step, entry);
    }
  }

  bool long_since_saved() const {
    return options_.save_seconds > 0 && seconds_since(saved_) >= options_.save_seconds;
  }

  void save() {
    const Index step = training_.steps_done(), steps = training_.steps();
    if (options_.samples) {
      options_.samples(step);
    }
    {
      const auto alone = last_step_ ? last_step_->pause() : std::unique_lock<std::mutex>();
      training_.save(folder_.checkpoint());
    }
    if (options_.report) {
      Report page = options_.report(entries_);
      if (step < steps) {
        page.progress = ReportProgress{static_cast<double>(step) / static_cast<double>(steps),
                                       concat_text("step ", step, " of ", steps)};
      }
      page.write(folder_.report());
    }
    saved_ = Clock::now();
  }

 private:
  void warn(const std::string& warning) {
    if (bar_) {
      bar_->message(options_.program.empty() ? warning : options_.program + ": " + warning);
    }
  }

  Training& training_;
  const RunFolder& folder_;
  const TrainingLoopOptions& options_;
  LogWriter log_;
  std::vector<LogEntry> entries_;
  const double seconds_before_;
  std::unique_ptr<NormalizationRecorder> recorder_;
  std::optional<ProgressBar> bar_;
  std::optional<LastStep> last_step_;
  const Clock::time_point begin_ = Clock::now();
  Clock::time_point saved_ = begin_;
};

}  // namespace

bool train(Training& training, const RunFolder& folder, const TrainingLoopOptions& options) {
  ProcessGroup& ranks = training.ranks();
  const auto steps_left = [&] { return training.steps_done() < training.steps(); };
  const auto stop_asked = [&] { return options.stop && options.stop(); };

  folder.lock();
  std::optional<Keeper> keeper;  // of rank 0
  if (ranks.rank() == 0) {
    keeper.emplace(training, folder, options);
  }
  const auto save = [&] { keeper ? keeper->save() : training.save(folder.checkpoint()); };

  if (training.steps_done() == 0) {
    training.save(folder.checkpoint());  // so that a run that is killed soon can be gone on with
  }
  bool stop = agree(ranks, stop_asked(), false).stop;
  while (steps_left() && !stop) {
    LogEntry entry = training.step(keeper ? keeper->with_gradients() : nullptr);
    const bool due = options.save_every > 0 && training.steps_done() % options.save_every == 0;
    if (keeper) {
      keeper->note(std::move(entry), due);
    } else {
      for (const std::string& warning : training.take_warnings()) {
        std::cerr << concat_text("rank ", ranks.rank(), ": ", warning, "\n");
      }
    }
    const Agreement agreed =
        agree(ranks, stop_asked(), steps_left() && (due || (keeper && keeper->long_since_saved())));
    if (agreed.save) {
      save();
    }
    stop = agreed.stop;
  }
  save();
  return !steps_left();
}

}  // namespace gesso
