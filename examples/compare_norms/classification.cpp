#include "classification.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "gesso/autograd/graph.h"
#include "gesso/autograd/losses.h"
#include "gesso/autograd/reduce.h"
#include "gesso/autograd/shape_ops.h"
#include "gesso/core/pictures/picture.h"
#include "gesso/core/pictures/resize.h"
#include "gesso/layers/conv2d.h"
#include "gesso/layers/linear.h"
#include "gesso/training/accuracy.h"
#include "gesso/training/optim/adam.h"
#include "gesso/training/optim/schedule.h"
#include "gesso/training/training_loop.h"
#include "painting/style_network.h"

namespace gesso {
namespace {

constexpr std::size_t kMostClasses = 20;
constexpr Index kShortSide = 96;  // of the photographs
constexpr Index kCrop = 32;
constexpr Index kTestCrops = 16;  // of each photograph
constexpr Index kBatch = 20;

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
        head_(64, classes, {}, rng),
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
    return head_(mean(features, {2, 3}));
  }

 private:
  Conv2d conv1_, conv2_, conv3_;
  Linear head_;
  std::unique_ptr<Module> norm1_, norm2_, norm3_;
};

}  // namespace

std::string ClassificationTask::describe() const {
  return concat_text("Which of ", training.size(), " photographs does a crop of ", kCrop, " x ", kCrop,
                     " pixels come from? Training crops are from the first 60 % of each photograph's longer "
                     "side, test crops from the rest.");
}

ClassificationTask make_classification_task(const std::vector<std::string>& files) {
  ClassificationTask task;
  Generator rng(1);  // the test crops are the same for every seed
  std::vector<Tensor> crops;
  const std::size_t classes = std::min(kMostClasses, files.size());
  for (std::size_t i = 0; i < classes; ++i) {
    const Tensor picture = load_picture(files[i * files.size() / classes]);
    const auto scaled = [&](bool first) {  // parted before it is scaled, so that no pixel mixes both parts
      const Tensor part = part_of(picture, 0.6, first);
      const double factor =
          static_cast<double>(kShortSide) / static_cast<double>(std::min(picture.size(2), picture.size(3)));
      const auto size = [&](int dim) {
        return std::max<Index>(kCrop, std::llround(factor * static_cast<double>(part.size(dim))));
      };
      return resize_picture(part, size(2), size(3));
    };
    task.training.push_back(scaled(true));
    const Tensor rest = scaled(false);
    for (Index k = 0; k < kTestCrops; ++k) {
      crops.push_back(random_crop(rest, rng));
      task.test_labels.push_back(static_cast<Index>(i));
    }
  }
  task.test = concat(crops, 0);
  return task;
}

std::optional<ClassificationRun> train_classifier(const ClassificationTask& task,
                                                  const std::string& normalization, std::uint64_t seed,
                                                  Index steps, const std::function<bool(Index)>& after_step) {
  Generator weights(seed), crops(seed + (std::uint64_t{1} << 32));
  const auto classes = static_cast<Index>(task.training.size());
  Classifier classifier(normalization, classes, weights);
  Adam adam(classifier.parameters(), {.lr = 3e-3});
  const WarmupCosine schedule{.warmup = steps / 10, .total = steps, .floor = 0.01};
  Training training(classifier, adam, {.steps = steps, .schedule = schedule}, [&]() -> BatchLoss {
    std::vector<Tensor> batch;
    std::vector<Index> labels;
    for (Index i = 0; i < kBatch; ++i) {
      labels.push_back(crops.below(classes));
      batch.push_back(random_crop(task.training[labels.back()], crops));
    }
    const Tensor logits = classifier(concat(batch, 0));
    return {cross_entropy(logits, labels), {{"accuracy", accuracy(logits, labels)}}};
  });
  std::vector<LogEntry> log;
  while (training.steps_done() < steps) {
    try {
      log.push_back(training.step());
    } catch (const DivergedError&) {  // a finding, and no reason to end the comparison
      const auto step = static_cast<double>(training.steps_done() + 1);
      log.push_back({{"step", step}, {"loss", NAN}, {"accuracy", 0}});
      break;
    }
    if (after_step && !after_step(training.steps_done())) {
      return std::nullopt;
    }
  }
  ClassificationRun run{.normalization = normalization, .seed = seed};
  run.step = log_curve(log, "step", "").y;
  run.loss = log_curve(log, "loss", "").y;
  run.train_accuracy = log_curve(log, "accuracy", "").y;
  const NoGradGuard no_grad;
  classifier.eval();
  run.test_accuracy = accuracy(classifier(task.test), task.test_labels);
  return run;
}

}  // namespace gesso
