#include "training.h"

#include <algorithm>
#include <cmath>

#include "gesso/autograd/graph.h"
#include "gesso/autograd/losses.h"
#include "gesso/training/accuracy.h"
#include "gesso/training/optim/schedule.h"
#include "gesso/training/picture_folder.h"
#include "gesso/training/settings.h"
#include "painting/trained_stack.h"

namespace gesso {
namespace {

constexpr Index kTestCrops = 512;
constexpr std::uint64_t kTestSeed = 7;

// Calls visit(name, field) for every setting; the names are those of the command line.
template <class Settings, class Visit>
void for_each_setting(Settings& s, Visit visit) {
  visit("pictures", s.pictures);
  visit("steps", s.steps);
  visit("batch", s.batch);
  visit("crop", s.crop);
  visit("lr", s.learning_rate);
  visit("seed", s.seed);
}

const LossNetworkSettings& checked(const LossNetworkSettings& settings) {
  settings.check();
  return settings;
}

std::string names_of(const std::vector<std::string>& files) {
  std::string names;
  for (const std::string& file : files) {
    names += std::filesystem::path(file).filename().string();
    names += '\n';
  }
  return names;
}

}  // namespace

void LossNetworkSettings::check() const {
  const auto range = [](const char* name, double value, double low, double high) {
    require(value >= low && value <= high, name, " is ", value, "; it must be from ", low, " to ", high);
  };
  range("steps", static_cast<double>(steps), 1, 1e7);
  range("batch", static_cast<double>(batch), 2, 1024);
  range("crop", static_cast<double>(crop), 16, 256);
  require(crop % 8 == 0, "crop is ", crop, "; it must be a multiple of 8, as the network halves it 3 times");
  range("lr", learning_rate, 1e-6, 10);
}

std::string LossNetworkSettings::command() const {
  std::string command = "train-loss-network";
  for_each_setting(*this, [&](const char* name, const auto& value) {
    command += concat_text(" --", name, " ", setting_text(value));
  });
  return command;
}

std::map<std::string, std::string> LossNetworkSettings::to_metadata() const {
  return settings_to_metadata([&](auto visit) { for_each_setting(*this, visit); });
}

LossNetworkSettings LossNetworkSettings::from_metadata(const std::map<std::string, std::string>& metadata) {
  LossNetworkSettings settings;
  settings_from_metadata(metadata, [&](auto visit) { for_each_setting(settings, visit); });
  settings.check();
  return settings;
}

LossNetworkTraining::LossNetworkTraining(const LossNetworkSettings& settings)
    : settings_(checked(settings)),
      files_(pictures_in(settings.pictures)),
      pictures_(load_small(files_)),
      rng_(settings.seed),
      network_(static_cast<Index>(files_.size()), rng_),
      optimizer_(network_.parameters(),
                 {.lr = settings.learning_rate, .momentum = 0.9, .nesterov = true, .weight_decay = 5e-4}) {
  require(files_.size() >= 2, "pictures: ", settings.pictures,
          " holds a single picture; there must be at least 2 to tell apart");
  Generator test_rng(kTestSeed);
  test_ = draw_crops(pictures_, kTestCrops, settings.crop, false, test_rng);
}

double LossNetworkTraining::learning_rate() const {
  const WarmupCosine schedule{.warmup = std::min<Index>(50, settings_.steps / 10), .total = settings_.steps};
  return settings_.learning_rate * schedule(steps_done_);
}

LossNetworkTraining::Result LossNetworkTraining::step() {
  const Crops crops = draw_crops(pictures_, settings_.batch, settings_.crop, true, rng_);
  network_.train();
  const Tensor logits = network_(crops.pictures);
  const Tensor loss = softmax_cross_entropy(logits, crops.labels);
  if (!std::isfinite(loss.item())) {
    throw Error(concat_text("the loss is no longer a finite number after ", steps_done_,
                            " steps; begin again with a lower --lr (it was ", settings_.learning_rate, ")"));
  }
  optimizer_.zero_grad();
  loss.backward();
  optimizer_.set_lr(learning_rate());
  optimizer_.step();
  ++steps_done_;
  return {loss.item(), gesso::accuracy(logits, crops.labels)};
}

double LossNetworkTraining::accuracy() {
  const NoGradGuard no_grad;
  network_.eval();
  double right = 0;
  for (Index begin = 0; begin < kTestCrops; begin += 64) {
    const std::vector<Index> labels(test_.labels.begin() + begin, test_.labels.begin() + begin + 64);
    right += gesso::accuracy(network_(test_.pictures.slice(begin, begin + 64)), labels) * 64;
  }
  return right / kTestCrops;
}

void LossNetworkTraining::save(const std::filesystem::path& folder) const {
  Checkpoint checkpoint{.step = steps_done_,
                        .model = network_.state_dict(),
                        .optimizer = optimizer_.state_dict(),
                        .generators = {{"crops", rng_.state()}},
                        .metadata = settings_.to_metadata()};
  checkpoint.metadata["files"] = names_of(files_);
  save_checkpoint(folder, checkpoint);
}

void LossNetworkTraining::resume(const Checkpoint& checkpoint) {
  require(checkpoint.metadata.at("files") == names_of(files_), "resume: the pictures in ", settings_.pictures,
          " are no longer those that the run began with");
  network_.load_state_dict(checkpoint.model);
  optimizer_.load_state_dict(checkpoint.optimizer);
  rng_.set_state(checkpoint.generators.at("crops"));
  steps_done_ = checkpoint.step;
}

NamedTensors LossNetworkTraining::weights() {
  return normalize_channels(network_.folded(), test_.pictures.slice(0, 128));
}

}  // namespace gesso
