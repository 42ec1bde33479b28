#include "classification.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>

#include "gesso/autograd/graph.h"
#include "gesso/autograd/losses.h"
#include "gesso/autograd/shape_ops.h"
#include "gesso/core/pictures/picture.h"
#include "gesso/core/pictures/resize.h"
#include "gesso/layers/conv2d.h"
#include "gesso/layers/linear.h"
#include "gesso/training/accuracy.h"
#include "gesso/training/optim/adam.h"
#include "gesso/training/training_loop.h"
#include "painting/style_network.h"

namespace gesso {
namespace {

constexpr std::size_t kMostClasses = 20;
constexpr Index kShortSide = 96;  // of the photographs
constexpr Index kCrop = 32;
constexpr Index kTrainingCrops = 16, kTestCrops = 16;  // of each photograph
constexpr Index kBatch = 20;
constexpr Index kEvalBatch = 80;

// The first `share` of a picture's longer side, or what is after it.
Tensor part_of(const Tensor& picture, double share, bool first) {
  const Index height = picture.size(2), width = picture.size(3);
  const bool wide = width >= height;
  const Index length = wide ? width : height;
  const auto border = static_cast<Index>(share * static_cast<double>(length));
  const Index begin = first ? 0 : border, size = first ? border : length - border;
  return wide ? crop(picture, 0, begin, height, size) : crop(picture, begin, 0, size, width);
}

// A square crop at a random place.
Tensor random_crop(const Tensor& picture, Generator& rng) {
  const Index top = rng.below(picture.size(2) - kCrop + 1);
  const Index left = rng.below(picture.size(3) - kCrop + 1);
  return crop(picture, top, left, kCrop, kCrop);
}

class Classifier : public Module {
 public:
  Classifier(const std::string& normalization, Index classes, Generator& rng)
      : conv1_(3, 16, 3, {.padding = 1}, rng),
        conv2_(16, 32, 3, {.stride = 2, .padding = 1}, rng),
        conv3_(32, 64, 3, {.stride = 2, .padding = 1}, rng),
        head_(64 * (kCrop / 4) * (kCrop / 4), classes, {}, rng),
        norm1_(make_normalization(normalization, 16, Activation::relu)),
        norm2_(make_normalization(normalization, 32, Activation::relu)),
        norm3_(make_normalization(normalization, 64, Activation::relu)) {
    register_module("conv1", conv1_);
    register_module("norm1", *norm1_);
    register_module("conv2", conv2_);
    register_module("norm2", *norm2_);
    register_module("conv3", conv3_);
    register_module("norm3", *norm3_);
    register_module("head", head_);
  }

  Tensor forward(const Tensor& x) override {
    const Tensor features = (*norm3_)(conv3_((*norm2_)(conv2_((*norm1_)(conv1_(x))))));
    return head_(features.reshape({x.size(0), -1}));
  }

 private:
  Conv2d conv1_, conv2_, conv3_;
  Linear head_;
  std::unique_ptr<Module> norm1_, norm2_, norm3_;
};

// Leaves the classifier in training mode.
double accuracy_in_eval(Classifier& classifier, const LabelledPictures& set) {
  const NoGradGuard no_grad;
  classifier.eval();
  std::vector<Tensor> logits;
  for (Index begin = 0; begin < set.size(); begin += kEvalBatch) {
    logits.push_back(classifier(set.pictures(begin, std::min(set.size(), begin + kEvalBatch))));
  }
  classifier.train();
  return accuracy(concat(logits, 0), set.labels);
}

// `count` random crops of a picture, whose class is named after its file.
void add_crops(const Tensor& picture, Index count, const std::string& file, Generator& rng,
               LabelledPictures& set) {
  for (Index k = 0; k < count; ++k) {
    for (const double value : random_crop(picture, rng).to_vector()) {
      set.pixels.push_back(static_cast<std::uint8_t>(std::lround(255 * std::clamp(value, 0.0, 1.0))));
    }
    set.labels.push_back(static_cast<Index>(set.classes.size()));
  }
  set.classes.push_back(std::filesystem::path(file).stem().string());
}

}  // namespace

std::string ClassificationTask::describe() const {
  return concat_text(
      "Which of ", training.classes.size(), " photographs does a crop of ", kCrop, " x ", kCrop,
      " pixels come from? The ", kTrainingCrops,
      " training crops of each are from the first 60 % of its longer side, the ", kTestCrops,
      " test crops from the rest. Each network was trained until it knew all of its training set.");
}

ClassificationTask make_classification_task(const std::vector<std::string>& files) {
  Generator rng(1);  // the crops are the same for every seed
  const std::size_t classes = std::min(kMostClasses, files.size());
  ClassificationTask task;
  for (LabelledPictures* set : {&task.training, &task.test}) {
    *set = {.channels = 3, .height = kCrop, .width = kCrop};
  }
  for (std::size_t i = 0; i < classes; ++i) {
    const std::string& file = files[i * files.size() / classes];
    const Tensor picture = load_picture(file);
    const auto scaled = [&](bool first) {  // parted before it is scaled, so that no pixel mixes both parts
      const Tensor part = part_of(picture, 0.6, first);
      const double factor =
          static_cast<double>(kShortSide) / static_cast<double>(std::min(picture.size(2), picture.size(3)));
      const auto size = [&](int dim) {
        return std::max<Index>(kCrop, std::llround(factor * static_cast<double>(part.size(dim))));
      };
      return resize_picture(part, size(2), size(3));
    };
    add_crops(scaled(true), kTrainingCrops, file, rng, task.training);
    add_crops(scaled(false), kTestCrops, file, rng, task.test);
  }
  return task;
}

std::optional<ClassificationRun> train_classifier(const ClassificationTask& task,
                                                  const std::string& normalization, std::uint64_t seed,
                                                  Index steps, const std::function<bool(Index)>& after_step) {
  Generator weights(seed);
  Classifier classifier(normalization, static_cast<Index>(task.training.classes.size()), weights);
  Adam adam(classifier.parameters(), {.lr = 1e-3});
  LabelledBatches batches(task.training, {.batch = kBatch, .seed = seed});
  Training training(classifier, adam, {.steps = steps}, [&]() -> BatchLoss {
    const LabelledBatch batch = batches.next();
    const Tensor logits = classifier(batch.pictures);
    return {cross_entropy(logits, batch.labels), {{"accuracy", accuracy(logits, batch.labels)}}};
  });
  ClassificationRun run{.normalization = normalization, .seed = seed};
  std::vector<LogEntry> log;
  const Index epoch = std::max<Index>(1, task.training.size() / kBatch);
  while (training.steps_done() < steps && run.training_set_accuracy < 1) {
    log.push_back(training.step());
    if (after_step && !after_step(training.steps_done())) {
      return std::nullopt;
    }
    if (training.steps_done() % epoch == 0 || training.steps_done() == steps) {
      run.training_set_accuracy = accuracy_in_eval(classifier, task.training);
    }
  }
  run.step = log_curve(log, "step", "").y;
  run.loss = log_curve(log, "loss", "").y;
  run.train_accuracy = log_curve(log, "accuracy", "").y;
  run.test_accuracy = accuracy_in_eval(classifier, task.test);
  return run;
}

}  // namespace gesso
