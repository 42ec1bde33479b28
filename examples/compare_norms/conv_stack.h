// What docs/normalization.md measures of why normalization helps: gradients through a deep stack of
// convolutions, and what batches of few pictures do. The task is that of classification.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "classification.h"
#include "gesso/layers/conv2d.h"
#include "gesso/layers/linear.h"
#include "gesso/layers/sequential.h"

namespace gesso {

/// How the weights begin.
enum class InitialWeights {
  pytorch,  ///< as Conv2d draws them
  he,       ///< init::kaiming_normal_: no activation grows or shrinks, without a normalization
};

struct ConvStackOptions {
  std::string normalization = "batch";  ///< as make_normalization() has it
  InitialWeights weights = InitialWeights::pytorch;
  Index depth = 16;  ///< convolutions
  Index width = 16;  ///< channels of each
};

/// `depth` times a 3 x 3 convolution, a normalization and a ReLU, without shortcuts; the first one halves the
/// picture. Then the means over 4 x 4 cells and a linear layer.
class ConvStack : public Module {
 public:
  ConvStack(const ConvStackOptions& options, Index classes, Generator& rng);

  Tensor forward(const Tensor& x) override;
  /// |dW| / |W| of each convolution, first to last: the share of the weight that a step of rate 1 would
  /// change.
  std::vector<double> relative_gradients() const;

 private:
  Sequential features_;
  std::vector<Conv2d*> convolutions_;
  Linear head_;
};

/// A training by SGD with momentum 0.9 on crops that are mirrored and moved at random. The rate rises for a
/// tenth of the steps and then falls to 0 along a cosine.
struct StackTraining {
  Index batch = 16;
  Index steps = 200;
  double lr = 0.05;  ///< the highest
  std::uint64_t seed = 1;
};

/// What came of one. All are NaN from the step on at which the loss is no longer finite.
struct StackResult {
  std::vector<double> first_gradients;  ///< relative_gradients() before the first step
  std::vector<double> later_gradients;  ///< those of the last tenth of the steps, on average
  double training_loss = 0;             ///< mean of the last tenth of the steps
  double test_loss = 0;                 ///< of the test crops in eval mode
  double test_loss_in_batches = 0;  ///< of the test crops in training mode, in batches of the training's size
};

StackResult train_stack(const ClassificationTask& task, const ConvStackOptions& options,
                        const StackTraining& training);

}  // namespace gesso
