#include "training.h"

#include <algorithm>
#include <filesystem>

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

SettingList list(LossNetworkSettings& s) {
  return {{"pictures", &s.pictures},  {"steps", &s.steps, 1, 1e7},        {"batch", &s.batch, 2, 1024},
          {"crop", &s.crop, 16, 256}, {"lr", &s.learning_rate, 1e-6, 10}, {"seed", &s.seed}};
}

std::string names_of(const std::vector<std::string>& files) {
  std::string names;
  for (const std::string& file : files) {
    names += std::filesystem::path(file).filename().string();
    names += '\n';
  }
  return names;
}

std::map<std::string, std::string> metadata_of(const LossNetworkSettings& settings,
                                               const std::vector<std::string>& files) {
  std::map<std::string, std::string> metadata = settings.to_metadata();
  metadata["files"] = names_of(files);
  return metadata;
}

}  // namespace

void LossNetworkSettings::check() const {
  LossNetworkSettings settings = *this;
  list(settings).check();
  require(crop % 8 == 0, "crop is ", crop, "; it must be a multiple of 8, as the network halves it 3 times");
}

std::string LossNetworkSettings::command() const {
  LossNetworkSettings settings = *this;
  return "train-loss-network" + list(settings).options();
}

std::map<std::string, std::string> LossNetworkSettings::to_metadata() const {
  LossNetworkSettings settings = *this;
  return list(settings).to_metadata();
}

LossNetworkSettings LossNetworkSettings::from_metadata(const std::map<std::string, std::string>& metadata) {
  LossNetworkSettings settings;
  list(settings).from_metadata(metadata);
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
                 {.lr = settings.learning_rate, .momentum = 0.9, .nesterov = true, .weight_decay = 5e-4}),
      training_(network_, optimizer_,
                {.steps = settings.steps,
                 .schedule = WarmupCosine{.warmup = std::min<Index>(50, settings.steps / 10),
                                          .total = settings.steps},
                 .command = "train-loss-network",
                 .metadata = metadata_of(settings, files_)},
                [this] { return next_loss(); }) {
  training_.keep("crops", rng_);
  require(files_.size() >= 2, "pictures: ", settings.pictures,
          " holds a single picture; there must be at least 2 to tell apart");
  Generator test_rng(kTestSeed);
  test_ = draw_crops(pictures_, kTestCrops, settings.crop, false, test_rng);
}

BatchLoss LossNetworkTraining::next_loss() {
  const Crops crops = draw_crops(pictures_, settings_.batch, settings_.crop, true, rng_);
  const Tensor logits = network_(crops.pictures);
  return {softmax_cross_entropy(logits, crops.labels), {{"accuracy", gesso::accuracy(logits, crops.labels)}}};
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

void LossNetworkTraining::resume(const Checkpoint& checkpoint) {
  const auto files = checkpoint.metadata.find("files");
  require(files != checkpoint.metadata.end() && files->second == names_of(files_), "resume: the pictures in ",
          settings_.pictures, " are no longer those that the run began with");
  training_.resume(checkpoint);
}

NamedTensors LossNetworkTraining::weights() {
  return normalize_channels(network_.folded(), test_.pictures.slice(0, 128));
}

}  // namespace gesso
