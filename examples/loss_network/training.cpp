#include "training.h"

#include <algorithm>
#include <filesystem>

#include "gesso/autograd/batch_share.h"
#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/autograd/losses.h"
#include "gesso/autograd/reduce.h"
#include "gesso/autograd/shape_ops.h"
#include "gesso/core/text.h"
#include "gesso/training/optim/schedule.h"
#include "gesso/training/picture_folder.h"
#include "gesso/training/settings.h"
#include "painting/model_file.h"
#include "painting/ready_made.h"
#include "painting/stylize.h"

namespace gesso {
namespace {

constexpr Index kTestCrops = 48;
constexpr Index kCropsMeasured = 64;  // for the channels' deviations
constexpr std::uint64_t kTestSeed = 7, kMeasureSeed = 8;
constexpr double kMovingStatistics = 0.6;  // share of the steps

SettingList list(LossNetworkSettings& s) {
  return {{"pictures", &s.pictures},
          {"teacher", &s.teacher},
          {"teacher_weights", &s.teacher_weights},
          {"painters", &s.painters},
          {"steps", &s.steps, 1, 1e7},
          {"batch", &s.batch, 2, 1024},
          {"crop", &s.crop, 32, 512},
          {"lr", &s.learning_rate, 1e-6, 10},
          {"seed", &s.seed}};
}

std::string names_of(const std::vector<std::string>& files) {
  std::string names;
  for (const std::string& file : files) {
    names += to_utf8(std::filesystem::path(file).filename().string());
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

// Every 16th of `files`, or the others.
std::vector<std::string> part(const std::vector<std::string>& files, bool for_tests) {
  std::vector<std::string> chosen;
  for (std::size_t i = 0; i < files.size(); ++i) {
    if ((i % 16 == 0) == for_tests) {
      chosen.push_back(files[i]);
    }
  }
  return chosen;
}

// Each picture painted by one of the networks in the folder, by turns.
std::vector<Tensor> painted(const std::vector<Tensor>& pictures, const std::string& painters) {
  std::vector<Tensor> results;
  if (painters.empty()) {
    return results;
  }
  const std::vector<std::string> names = ready_made_models(painters);
  require(!names.empty(), "painters: there is no model in ", painters);
  for (std::size_t p = 0; p < names.size(); ++p) {
    const LoadedStyleNetwork painter =
        load_style_network((std::filesystem::path(painters) / (names[p] + ".safetensors")).string());
    for (std::size_t i = p; i < pictures.size(); i += names.size()) {
      painter.network->set_noise(i);
      results.push_back(stylize(*painter.network, pictures[i]));
    }
  }
  return results;
}

// Standard deviations of the channels of x, (C). A channel that hardly ever fires counts little, not
// infinitely much.
Tensor deviations_of(const Tensor& x) {
  const Tensor deviation = sqrt(variance(x, {0, 2, 3}, {.unbiased = false}));
  const double least = 0.05 * mean(deviation).item();
  return clamp(deviation, std::max(least, 1e-6), 1e30);
}

}  // namespace

void LossNetworkSettings::check() const {
  LossNetworkSettings settings = *this;
  list(settings).check();
  require(crop % 8 == 0, "crop is ", crop, "; it must be a multiple of 8, as the network halves it 3 times");
  require(teacher == "squeezenet", "teacher: unknown teacher '", teacher, "'; known is squeezenet");
  require(!teacher_weights.empty(),
          "teacher-weights: name the file with torchvision's weights of squeezenet1_0");
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

std::vector<std::string> pictures_to_learn_from(const LossNetworkSettings& settings) {
  std::vector<std::string> files;
  for (const std::string& folder : settings.pictures) {
    const std::vector<std::string> its = pictures_in(folder);
    files.insert(files.end(), its.begin(), its.end());
  }
  require(files.size() >= 2,
          "pictures: there is a single one; there must be at least 2, one of them for tests");
  return files;
}

LossNetworkTraining::LossNetworkTraining(const LossNetworkSettings& settings, ProcessGroup& ranks)
    : LossNetworkTraining(settings, pictures_to_learn_from(checked(settings)), ranks) {}

LossNetworkTraining::LossNetworkTraining(const LossNetworkSettings& settings, std::vector<std::string> files,
                                         ProcessGroup& ranks)
    : settings_(checked(settings)),
      files_(std::move(files)),
      teacher_({}, load_squeezenet_weights(settings.teacher_weights, {})),
      pictures_(load_small(part(files_, false))),
      test_pictures_(load_small(part(files_, true))),
      rng_(settings.seed),
      student_(rng_),
      optimizer_(student_.parameters(), {.lr = settings.learning_rate}),
      training_(student_, optimizer_,
                {.steps = settings.steps,
                 .schedule = WarmupCosine{.warmup = std::min<Index>(50, settings.steps / 10),
                                          .total = settings.steps},
                 .command = "train-loss-network",
                 .metadata = metadata_of(settings, files_),
                 .ranks = &ranks,
                 .batch = settings.batch},
                [this] { return next_loss(); }) {
  const NoGradGuard no_grad;
  training_.keep("crops", rng_);
  for (const SqueezeNetLayer& layer : teacher_.layers()) {
    names_.push_back(layer.name);
  }
  for (Tensor& each : painted(pictures_, settings.painters)) {
    pictures_.push_back(std::move(each));
  }
  for (Tensor& each : painted(test_pictures_, settings.painters)) {
    test_pictures_.push_back(std::move(each));
  }
  Generator measure_rng(kMeasureSeed), test_rng(kTestSeed);
  for (const Tensor& features :
       teacher_.features(draw_crops(pictures_, kCropsMeasured, settings.crop, true, measure_rng))) {
    deviations_.push_back(deviations_of(features));
  }
  test_ = draw_crops(test_pictures_, kTestCrops, settings.crop, false, test_rng);
}

// The teacher's features as the student predicts them.
Tensor LossNetworkTraining::scaled(const Tensor& features, std::size_t layer) const {
  return features / deviations_[layer].reshape({1, features.size(1), 1, 1});
}

BatchLoss LossNetworkTraining::next_loss() {
  if (static_cast<double>(training_.steps_done()) >=
      kMovingStatistics * static_cast<double>(settings_.steps)) {
    student_.freeze_statistics();
  }
  const BatchShare& share = *BatchShare::current();
  const Tensor crops = draw_crops(pictures_, settings_.batch, settings_.crop, true, rng_, share.first(),
                                  share.first() + share.count());
  std::vector<Tensor> wanted;
  {
    const NoGradGuard no_grad;
    wanted = teacher_.features(crops);
  }
  const std::vector<Tensor> predicted = student_.features(crops);
  Tensor total;
  LogEntry numbers;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    const Tensor error = mean(gather_samples(mse_of_samples(predicted[i], scaled(wanted[i], i))));
    numbers.emplace_back(names_[i], error.item());
    total = total.defined() ? total + error : error;
  }
  return {total * (1.0 / static_cast<double>(names_.size())), numbers};
}

std::vector<double> LossNetworkTraining::unexplained() {
  const NoGradGuard no_grad;
  student_.eval();
  const std::size_t layers = names_.size();
  std::vector<double> errors(layers);
  std::vector<std::vector<Tensor>> wanted(layers);
  for (Index begin = 0; begin < kTestCrops; begin += 16) {
    const Tensor crops = test_.slice(begin, std::min(begin + 16, kTestCrops));
    const std::vector<Tensor> teacher = teacher_.features(crops), student = student_.features(crops);
    for (std::size_t i = 0; i < layers; ++i) {
      const Tensor target = scaled(teacher[i], i);
      errors[i] += sum(square(student[i] - target)).item();
      wanted[i].push_back(target);
    }
  }
  for (std::size_t i = 0; i < layers; ++i) {
    const Tensor all = concat(wanted[i], 0);
    const double count = static_cast<double>(all.numel());
    errors[i] /= count * mean(variance(all, {0, 2, 3}, {.unbiased = false})).item();
  }
  return errors;
}

void LossNetworkTraining::resume(const Checkpoint& checkpoint) {
  const auto files = checkpoint.metadata.find("files");
  require(files != checkpoint.metadata.end() && files->second == names_of(files_),
          "resume: the pictures are no longer those that the run began with");
  training_.resume(checkpoint);
}

}  // namespace gesso
