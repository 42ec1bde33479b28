#include "style_training.h"

#include <algorithm>
#include <cmath>

#include "gesso/training/optim/schedule.h"

namespace gesso {

LogEntry log_entry(Index step, const Losses& losses, double learning_rate, double seconds) {
  LogEntry entry = {{"step", static_cast<double>(step)},
                    {"loss", losses.total.item()},
                    {"content", losses.content},
                    {"style", losses.style},
                    {"tv", losses.tv},
                    {"range", losses.range}};
  if (losses.photograph > 0) {
    entry.emplace_back("photograph", losses.photograph);
  }
  entry.emplace_back("lr", learning_rate);
  entry.emplace_back("seconds", seconds);
  return entry;
}

void StyleTraining::optimize(std::vector<Tensor> parameters) {
  optimizer_.emplace(std::move(parameters), AdamOptions{.lr = highest_rate_});
}

// A tenth of the steps to warm up, 30 at most; then half a cosine down to a hundredth.
double StyleTraining::learning_rate() const {
  const WarmupCosine schedule{.warmup = std::min<Index>(30, steps_ / 10), .total = steps_, .floor = 0.01};
  return highest_rate_ * schedule(steps_done_);
}

Losses StyleTraining::step(const std::function<void()>& with_gradients) {
  const Losses losses = losses_of_next_batch();
  if (!std::isfinite(losses.total.item())) {
    throw Error(concat_text("the loss is no longer a finite number after ", steps_done_,
                            " steps; begin again with a lower --lr (it was ", highest_rate_, ")"));
  }
  optimizer_->zero_grad();
  losses.total.backward();
  if (with_gradients) {
    with_gradients();
  }
  optimizer_->set_lr(learning_rate());
  optimizer_->step();
  ++steps_done_;
  return losses;
}

void StyleTraining::save(const std::filesystem::path& folder) const {
  save_checkpoint(folder, {.step = steps_done_,
                           .model = model().state_dict(),
                           .optimizer = optimizer_->state_dict(),
                           .metadata = metadata()});
}

void StyleTraining::resume(const Checkpoint& checkpoint) {
  model().load_state_dict(checkpoint.model);
  optimizer_->load_state_dict(checkpoint.optimizer);
  set_positions(checkpoint.metadata);
  steps_done_ = checkpoint.step;
}

}  // namespace gesso
