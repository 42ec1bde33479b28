// A training: a model, an optimizer and a loss become a run that logs, shows how far it is, saves what it
// has, and goes on where it was stopped as if it had never stopped, bit for bit. One of your own:
//
//     Generator rng{1}, noise{2};
//     Sequential net;
//     net.emplace<Conv2d>(3, 16, 3, Conv2dOptions{.padding = 1}, rng);
//     net.emplace<ReLU>();
//     net.emplace<Conv2d>(16, 3, 3, Conv2dOptions{.padding = 1}, rng);
//     Adam adam(net.parameters(), {.lr = 2e-3});
//     PictureFolder photographs("photos", {.crop = 64});
//
//     Training training(net, adam, {.steps = 1000, .command = "denoise"}, [&] {
//       const Tensor clean = photographs.next();
//       return mse_loss(net(clean + 0.1 * Tensor::randn(clean.shape(), noise)), clean);
//     });
//     training.keep("noise", noise);  // whatever else decides the next steps
//     training.keep("photographs", photographs);
//
//     const RunFolder folder("runs/denoise");
//     folder.create();  // or, to go on: training.resume(folder.checkpoint_to_resume("denoise"));
//     train(training, folder, {.save_every = 100});
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "gesso/core/error.h"
#include "gesso/core/generator.h"
#include "gesso/core/process_group.h"
#include "gesso/core/tensor.h"
#include "gesso/layers/module.h"
#include "gesso/training/checkpoint.h"
#include "gesso/training/optim/optimizer.h"
#include "gesso/training/optim/schedule.h"
#include "gesso/training/picture_folder.h"
#include "gesso/training/report/log.h"
#include "gesso/training/report/report.h"
#include "gesso/training/run_folder.h"

namespace gesso {

/// What a batch costs: the loss, a scalar, and other numbers for the log. A loss alone will do.
struct BatchLoss {
  Tensor loss;
  LogEntry numbers;
  BatchLoss(Tensor value, LogEntry others = {}) : loss(std::move(value)), numbers(std::move(others)) {}
};

/// The loss, a gradient or a weight is not finite: no further step would mend the weights. The text says which, at
/// which step, and whether a weight was so to begin with.
class DivergedError : public Error {
 public:
  using Error::Error;
};

struct TrainingOptions {
  Index steps = 1000;
  /// A factor of the optimizer's learning rate for each step, counted from 0; empty: always 1.
  Schedule schedule = {};
  std::string command = {};  ///< whose run it is: RunFolder::checkpoint_to_resume() compares it
  std::map<std::string, std::string> metadata = {};  ///< kept in checkpoints: settings (see settings.h), say
  /// The processes that train together, each on its share of the `batch` samples of every step; null: this one alone.
  /// `next_loss` then gives the loss of the whole batch on every rank, as autograd/batch_share.h says. Weights, logs and
  /// checkpoints are the same bits for any number of ranks, a group of one too; so a run may go on on another number.
  ProcessGroup* ranks = nullptr;
  Index batch = 0;  ///< with `ranks`: samples in a step's whole batch, one for each rank at least
};

/// Which of a batch's pictures a rank among several is given.
enum class Given { share, all };

/// What is trained, and one step of it. The model, the optimizer and all that keep() was given must outlive
/// it.
class Training {
 public:
  /// `next_loss` draws the next batch and returns its loss. The schedule multiplies the learning rate that
  /// the optimizer has now.
  Training(Module& model, Optimizer& optimizer, TrainingOptions options,
           std::function<BatchLoss()> next_loss);
  Training(const Training&) = delete;
  Training& operator=(const Training&) = delete;

  /// Lets checkpoints keep the state of a generator, or how far a folder of pictures was read, under this
  /// name.
  void keep(const std::string& name, Generator& generator) { generators_.emplace_back(name, &generator); }
  /// Of the pictures each of several ranks is given its share of every batch or, if asked for, all.
  void keep(const std::string& name, PictureFolder& pictures, Given given = Given::share);

  /// Trains on the next batch, with the model in training mode. Returns the line for the log, {"step",
  /// "loss", the loss's other numbers, "lr"}; losses are those before the step. `with_gradients`, if given,
  /// is called when the gradients are there and no weight has moved yet. Throws DivergedError when the loss or a
  /// gradient is not finite, before any weight has moved; it names the step and the parameter.
  /// On several ranks all call it, and Error is thrown when their gradients are not the same: an operation has summed over
  /// its own samples alone, say, or a computer has other instructions.
  LogEntry step(const std::function<void()>& with_gradients = {});
  ProcessGroup& ranks() const { return options_.ranks ? *options_.ranks : single_process(); }
  Index steps() const { return options_.steps; }
  Index steps_done() const { return steps_done_; }
  /// The learning rate of the next step.
  double learning_rate() const;

  /// Saves all that the next steps depend on, by save_checkpoint(); of several ranks, rank 0 does. The steps after resume() are those that
  /// would have followed save(), bit for bit. save() throws DivergedError, and leaves the last checkpoint as it is,
  /// when a weight or the optimizer's state is not finite; resume() throws ArgumentError for a checkpoint that does
  /// not fit, or is not finite.
  void save(const std::filesystem::path& folder) const;
  /// What save() saves; its tensors are the training's own, which the next step changes.
  Checkpoint checkpoint() const;
  void resume(const Checkpoint& checkpoint);

  /// One line for each picture found unreadable since the last call, and for a damaged checkpoint that resume() had
  /// to do without.
  std::vector<std::string> take_warnings();

  Module& model() { return model_; }

 private:
  [[noreturn]] void fail_at(const std::string& what) const;
  void require_finite() const;
  void require_finite_gradients(double loss) const;
  void require_equal_gradients() const;

  Module& model_;
  Optimizer& optimizer_;
  const TrainingOptions options_;
  const std::function<BatchLoss()> next_loss_;
  const double highest_rate_;
  std::vector<std::pair<std::string, Generator*>> generators_;
  std::vector<std::pair<std::string, PictureFolder*>> folders_;
  Index steps_done_ = 0, first_step_ = 0;  // done in all, and before this training began
  std::vector<std::string> warnings_;
};

/// What the loop does besides. Everything can be left out.
struct TrainingLoopOptions {
  /// Asked before every step; true ends the training there. For Ctrl-C, say. On several ranks it is asked during steps
  /// too, on another thread: whoever started them may not wait for the end of one, so rank 0 then saves at once what the last
  /// step left.
  std::function<bool()> stop = {};

  /// Saves after every so many steps, or when so many seconds have passed since the last time; 0: only at the
  /// end. Saving means `samples`, then the checkpoint, then `report`.
  Index save_every = 0;
  double save_seconds = 0;
  /// Makes pictures to look at, for folder.samples().
  std::function<void(Index step)> samples = {};
  /// The page about the log so far; while the training goes on, the loop adds how far it is.
  std::function<Report(const std::vector<LogEntry>& log)> report = {};

  /// Called every `save_every` steps and after the last one: more numbers for the log, such as accuracy on a
  /// test set.
  std::function<LogEntry()> test = {};
  /// Records the normalization layers in folder.record() every so many steps; 0: never. See
  /// report/recorder.h.
  Index record_every = 0;

  /// Shows a progress bar on standard error, and warnings about pictures above it.
  bool bar = true;
  /// What the bar says about a step. Default: "loss 1.250".
  std::function<std::string(const LogEntry& entry)> status = {};
  std::string program = {};  ///< put before warnings, if given: "style-transfer: ..."
  /// Called after every step with its line of the log.
  std::function<void(Index step, const LogEntry& entry)> after_step = {};
};

/// Trains until all steps are done, or until `stop`; returns whether all are done. Each step is a line in
/// folder.log(): what Training::step() returns, the numbers of `test`, and "seconds" since the training
/// began, pauses left out. The folder is locked. At the beginning a checkpoint is saved, at the end everything.
/// Exceptions pass through; the last checkpoint is then still whole.
///
/// Of several ranks all call it. Rank 0 writes, logs, tests and shows how far it is, and the others follow; any of them may
/// ask for the end by `stop`. What is unreadable for another rank, that rank says on standard error.
bool train(Training& training, const RunFolder& folder, const TrainingLoopOptions& options = {});

}  // namespace gesso
