#include "classification.h"

#include <algorithm>
#include <memory>

#include "gesso/autograd/graph.h"
#include "gesso/autograd/losses.h"
#include "gesso/autograd/shape_ops.h"
#include "gesso/core/index.h"
#include "gesso/layers/conv2d.h"
#include "gesso/layers/linear.h"
#include "gesso/training/accuracy.h"
#include "gesso/training/optim/adam.h"
#include "gesso/training/training_loop.h"
#include "painting/style_network.h"

namespace gesso {
namespace {

constexpr Index kBatch = 20;
constexpr Index kEvalBatch = 80;

class Classifier : public Module {
 public:
  // For pictures like those of `data`.
  Classifier(const std::string& normalization, const LabelledPictures& data, Generator& rng)
      : conv1_(data.channels, 16, 3, {.padding = 1}, rng),
        conv2_(16, 32, 3, {.stride = 2, .padding = 1}, rng),
        conv3_(32, 64, 3, {.stride = 2, .padding = 1}, rng),
        head_(64 * divide_up(data.height, 4) * divide_up(data.width, 4),
              static_cast<Index>(data.classes.size()), {}, rng),
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

}  // namespace

std::optional<ClassificationRun> train_classifier(const ClassificationTask& task,
                                                  const std::string& normalization, std::uint64_t seed,
                                                  Index steps, const std::function<bool(Index)>& after_step) {
  Generator weights(seed);
  Classifier classifier(normalization, task.training, weights);
  Adam adam(classifier.parameters(), {.lr = 1e-3});
  LabelledBatches batches(task.training, {.batch = std::min(kBatch, task.training.size()), .seed = seed});
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
