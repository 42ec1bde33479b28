#include "conv_stack.h"

#include <algorithm>
#include <cmath>

#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/autograd/losses.h"
#include "gesso/autograd/pooling.h"
#include "gesso/autograd/reduce.h"
#include "gesso/autograd/shape_ops.h"
#include "gesso/layers/activations.h"
#include "gesso/layers/init.h"
#include "gesso/training/accuracy.h"
#include "gesso/training/optim/schedule.h"
#include "gesso/training/optim/sgd.h"
#include "painting/style_network.h"

namespace gesso {
namespace {

constexpr Index kCells = 4;
constexpr Index kShift = 4;  // pixels

// In the mode that the network is in; crops that fill no batch are left out.
StackScore score(ConvStack& net, const LabelledPictures& test, Index batch) {
  const NoGradGuard no_grad;
  LabelledBatches batches(test, {.batch = batch});  // of several photographs each, as in training
  const auto count = static_cast<double>(test.size() / batch);
  StackScore mean;
  for (Index i = 0; i < test.size() / batch; ++i) {
    const LabelledBatch crops = batches.next();
    const Tensor logits = net(crops.pictures);
    mean.loss += cross_entropy(logits, crops.labels).item() / count;
    mean.error += (1 - accuracy(logits, crops.labels)) / count;
  }
  return mean;
}

bool is_normalized(NormalizedLayers which, Index layer, Index depth) {
  switch (which) {
    case NormalizedLayers::first_half:
      return 2 * layer < depth;
    case NormalizedLayers::second_half:
      return 2 * layer >= depth;
    case NormalizedLayers::every_other:
      return layer % 2 == 0;
    default:
      return true;
  }
}

StackResult diverged(StackResult so_far, Index step) {
  so_far.training_loss = so_far.training_error = NAN;
  so_far.test = so_far.test_in_batches = {NAN, NAN};
  so_far.later_gradients.assign(so_far.later_gradients.size(), NAN);
  so_far.diverged_at = step;
  return so_far;
}

}  // namespace

ConvStack::ConvStack(const ConvStackOptions& options, Index classes, Generator& rng)
    : head_(options.width * kCells * kCells, classes, rng) {
  for (Index i = 0; i < options.depth; ++i) {
    const Index in = i == 0 ? 3 : options.width, stride = i == 0 ? 2 : 1;
    Conv2d& conv = features_.emplace<Conv2d>(in, options.width, 3, {.stride = stride, .padding = 1}, rng);
    if (options.weights == InitialWeights::he) {
      init::kaiming_normal_(conv.weight, rng);
      conv.bias.fill_(0);
    }
    convolutions_.push_back(&conv);
    const std::string norm =
        is_normalized(options.normalized, i, options.depth) ? options.normalization : "none";
    const bool after = norm != "none" && options.place == NormPlace::after_relu;
    if (after) {
      features_.emplace<ReLU>();
    }
    features_.append(
        make_normalization(norm, options.width, after ? Activation::none : Activation::relu,
                           {.eps = options.eps, .momentum = options.momentum, .affine = options.affine}));
  }
  register_module("features", features_);
  register_module("head", head_);
}

Tensor ConvStack::forward(const Tensor& x) {
  return head_(flatten(adaptive_avg_pool2d(features_(x - 0.5), kCells), 1));
}

std::vector<double> ConvStack::relative_gradients() const {
  std::vector<double> shares;
  for (const Conv2d* conv : convolutions_) {
    shares.push_back(norm(conv->weight.grad()).item() / norm(conv->weight.detach()).item());
  }
  return shares;
}

std::vector<Tensor> convolution_weights(const ConvStack& net) {
  std::vector<Tensor> weights;
  for (const Tensor& parameter : net.parameters()) {
    if (parameter.rank() == 4) {
      weights.push_back(parameter);
    }
  }
  return weights;
}

LabelledBatches stack_batches(const ClassificationTask& task, const StackTraining& training) {
  return LabelledBatches(task.training,
                         {.batch = training.batch, .flip = true, .shift = kShift, .seed = training.seed});
}

std::optional<StackResult> train_stack(const ClassificationTask& task, const ConvStackOptions& options,
                                       const StackTraining& training,
                                       const std::function<bool(Index)>& after_step) {
  Generator weights(training.seed);
  ConvStack net(options, static_cast<Index>(task.training.classes.size()), weights);
  LabelledBatches batches = stack_batches(task, training);
  SGD sgd(net.parameters(), {.lr = training.lr, .momentum = 0.9});
  const WarmupCosine schedule{.warmup = training.steps / 10, .total = training.steps};
  const Index last = std::max<Index>(1, training.steps / 10);  // steps that are averaged
  StackResult result{.guess_loss = std::log(static_cast<double>(task.training.classes.size()))};
  result.later_gradients.assign(options.depth, 0);
  for (Index step = 0; step < training.steps; ++step) {
    const LabelledBatch crops = batches.next();
    const Tensor logits = net(crops.pictures), loss = cross_entropy(logits, crops.labels);
    if (!std::isfinite(loss.item())) {
      return diverged(result, step + 1);
    }
    sgd.zero_grad();
    loss.backward();
    const std::vector<double> gradients = net.relative_gradients();
    if (step == 0) {
      result.first_gradients = gradients;
    }
    if (step >= training.steps - last) {
      const double share = 1 / static_cast<double>(last);
      result.training_loss += share * loss.item();
      result.training_error += share * (1 - accuracy(logits, crops.labels));
      for (std::size_t i = 0; i < gradients.size(); ++i) {
        result.later_gradients[i] += share * gradients[i];
      }
    }
    sgd.set_lr(training.lr * schedule(step));
    sgd.step();
    if (after_step && !after_step(step + 1)) {
      return std::nullopt;
    }
  }
  net.eval();
  result.test = score(net, task.test, training.batch);
  net.train();
  result.test_in_batches = score(net, task.test, training.batch);
  return result;
}

}  // namespace gesso
