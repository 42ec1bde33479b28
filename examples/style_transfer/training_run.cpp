#include "training_run.h"

#include <cmath>

#include "gesso/core/picture.h"
#include "gesso/core/resize.h"
#include "gesso/training/checkpoint.h"
#include "gesso/training/schedule.h"

namespace gesso {
namespace {

const TrainSettings& checked(const TrainSettings& settings) {
  settings.check();
  return settings;
}

Tensor load_style(const TrainSettings& settings) {
  return resize_short_side(load_picture(settings.style), settings.style_size);
}

// A tenth of the steps to warm up, 30 at most; then half a cosine down to a hundredth.
WarmupCosine schedule_of(const TrainSettings& settings) {
  return {.warmup = std::min<std::int64_t>(30, settings.steps / 10), .total = settings.steps, .floor = 0.01};
}

}  // namespace

TrainingRun::TrainingRun(const TrainSettings& settings)
    : TrainingRun(settings, pictures_in(settings.content)) {}

TrainingRun::TrainingRun(const TrainSettings& settings, std::vector<std::string> photographs)
    : settings_(checked(settings)),
      rng_(settings.seed),
      network_(settings.network, rng_),
      loss_network_(make_loss_network(settings.loss_network)),
      style_(load_style(settings)),
      target_(*loss_network_, style_),
      photographs_(std::move(photographs),
                   {.crop = settings.crop, .batch = settings.batch, .seed = settings.seed}),
      optimizer_(network_.parameters(), {.lr = settings.learning_rate}) {}

double TrainingRun::learning_rate() const {
  return settings_.learning_rate * schedule_of(settings_)(steps_done_);
}

Losses TrainingRun::step(const std::function<void()>& with_gradients) {
  const Tensor batch = photographs_.next();
  const Losses losses =
      style_transfer_losses(*loss_network_, target_, network_(batch), batch, settings_.weights);
  if (!std::isfinite(losses.total.item())) {
    throw Error(concat_text("the loss is no longer a finite number after ", steps_done_,
                            " steps; begin again with a lower --lr (it was ", settings_.learning_rate, ")"));
  }
  optimizer_.zero_grad();
  losses.total.backward();
  if (with_gradients) {
    with_gradients();
  }
  optimizer_.set_lr(learning_rate());
  optimizer_.step();
  ++steps_done_;
  return losses;
}

void TrainingRun::save(const std::filesystem::path& folder) const {
  Checkpoint checkpoint{
      .step = steps_done_, .model = network_.state_dict(), .optimizer = optimizer_.state_dict()};
  checkpoint.metadata = settings_.to_metadata();
  checkpoint.metadata["photographs"] = std::to_string(photographs_.state().crops);
  save_checkpoint(folder, checkpoint);
}

void TrainingRun::resume(const Checkpoint& checkpoint) {
  network_.load_state_dict(checkpoint.model);
  optimizer_.load_state_dict(checkpoint.optimizer);
  photographs_.set_state({std::stoll(checkpoint.metadata.at("photographs"))});
  steps_done_ = checkpoint.step;
}

}  // namespace gesso
