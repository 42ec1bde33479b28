#include "conv_stack.h"

#include <algorithm>
#include <cmath>

#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/autograd/losses.h"
#include "gesso/autograd/pooling.h"
#include "gesso/autograd/reduce.h"
#include "gesso/autograd/shape_ops.h"
#include "gesso/layers/init.h"
#include "gesso/training/optim/schedule.h"
#include "gesso/training/optim/sgd.h"
#include "painting/style_network.h"

namespace gesso {
namespace {

constexpr Index kCells = 4;
constexpr Index kShift = 4;  // pixels

// The mean loss of the test crops, in the mode that the network is in; crops that fill no batch are left out.
double test_loss(ConvStack& net, const LabelledPictures& test, Index batch) {
  const NoGradGuard no_grad;
  LabelledBatches batches(test, {.batch = batch});  // of several photographs each, as in training
  const Index count = test.size() / batch;
  double sum = 0;
  for (Index i = 0; i < count; ++i) {
    const LabelledBatch crops = batches.next();
    sum += cross_entropy(net(crops.pictures), crops.labels).item();
  }
  return sum / static_cast<double>(count);
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
    features_.append(make_normalization(options.normalization, options.width, Activation::relu));
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

StackResult train_stack(const ClassificationTask& task, const ConvStackOptions& options,
                        const StackTraining& training) {
  Generator weights(training.seed);
  ConvStack net(options, static_cast<Index>(task.training.classes.size()), weights);
  LabelledBatches batches(task.training,
                          {.batch = training.batch, .flip = true, .shift = kShift, .seed = training.seed});
  SGD sgd(net.parameters(), {.lr = training.lr, .momentum = 0.9});
  const WarmupCosine schedule{.warmup = training.steps / 10, .total = training.steps};
  const Index last = std::max<Index>(1, training.steps / 10);  // steps that are averaged
  StackResult result;
  result.later_gradients.assign(options.depth, 0);
  for (Index step = 0; step < training.steps; ++step) {
    const LabelledBatch crops = batches.next();
    const Tensor loss = cross_entropy(net(crops.pictures), crops.labels);
    if (!std::isfinite(loss.item())) {
      result.training_loss = result.test_loss = result.test_loss_in_batches = NAN;
      result.later_gradients.assign(options.depth, NAN);
      return result;
    }
    sgd.zero_grad();
    loss.backward();
    const std::vector<double> gradients = net.relative_gradients();
    if (step == 0) {
      result.first_gradients = gradients;
    }
    if (step >= training.steps - last) {
      result.training_loss += loss.item() / static_cast<double>(last);
      for (std::size_t i = 0; i < gradients.size(); ++i) {
        result.later_gradients[i] += gradients[i] / static_cast<double>(last);
      }
    }
    sgd.set_lr(training.lr * schedule(step));
    sgd.step();
  }
  net.eval();
  result.test_loss = test_loss(net, task.test, training.batch);
  net.train();
  result.test_loss_in_batches = test_loss(net, task.test, training.batch);
  return result;
}

}  // namespace gesso
