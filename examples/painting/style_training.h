// What all trainings of this example have in common: the order of a step, the learning rate, saving and
// resuming. What is trained, and by which losses, the classes derived from it say.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gesso/layers/module.h"
#include "gesso/training/checkpoint.h"
#include "gesso/training/optim/adam.h"
#include "gesso/training/picture_folder.h"
#include "gesso/training/report/log.h"
#include "losses.h"

namespace gesso {

/// The line of log.jsonl for a step: `losses` before it, and the seconds since the training began.
LogEntry log_entry(Index step, const Losses& losses, double learning_rate, double seconds);

class StyleTraining {
 public:
  virtual ~StyleTraining() = default;
  StyleTraining(const StyleTraining&) = delete;
  StyleTraining& operator=(const StyleTraining&) = delete;

  /// Trains on the next batch and returns its losses before the step. `with_gradients`, if given, is called
  /// when the gradients are there and the weights are still those of the losses. Throws Error when the loss
  /// is no finite number.
  Losses step(const std::function<void()>& with_gradients = {});
  Index steps() const { return steps_; }
  Index steps_done() const { return steps_done_; }
  /// Of the next step.
  double learning_rate() const;

  /// Saves all that the next steps depend on. After resume() the run goes on as if it had never stopped, bit
  /// for bit.
  void save(const std::filesystem::path& folder) const;
  void resume(const Checkpoint& checkpoint);

  /// One line for each picture found unreadable since the last call.
  virtual std::vector<std::string> take_warnings() = 0;

 protected:
  StyleTraining(Index steps, double learning_rate) : steps_(steps), highest_rate_(learning_rate) {}
  /// The derived class calls it when its parameters are there.
  void optimize(std::vector<Tensor> parameters);

  virtual Losses losses_of_next_batch() = 0;
  virtual Module& model() = 0;
  virtual const Module& model() const = 0;
  /// Settings and the loaders' positions, for save(); resume() gives them to set_positions().
  virtual std::map<std::string, std::string> metadata() const = 0;
  virtual void set_positions(const std::map<std::string, std::string>& metadata) = 0;

 private:
  Index steps_, steps_done_ = 0;
  double highest_rate_;
  std::optional<Adam> optimizer_;
};

}  // namespace gesso
