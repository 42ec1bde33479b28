// A stack of convolutions that learns the task of classification.h in a second: what docs/normalization.md measures of
// why normalization helps, and most experiments of compare-norms.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "classification_task.h"
#include "gesso/layers/conv2d.h"
#include "gesso/layers/linear.h"
#include "gesso/layers/sequential.h"

namespace gesso {

/// How the weights begin.
enum class InitialWeights {
  pytorch,  ///< as Conv2d draws them
  he,       ///< init::kaiming_normal_: no activation grows or shrinks, without a normalization
};

/// Where a layer's normalization stands.
enum class NormPlace { before_relu, after_relu };

/// Which of the convolutions have one; the others have a ReLU alone.
enum class NormalizedLayers {
  all,
  first_half,
  second_half,
  every_other
};  ///< every other: the first, the third, ...

struct ConvStackOptions {
  std::string normalization = "batch";  ///< as make_normalization() has it
  InitialWeights weights = InitialWeights::pytorch;
  Index depth = 16;  ///< convolutions
  Index width = 16;  ///< channels of each
  NormPlace place = NormPlace::before_relu;
  NormalizedLayers normalized = NormalizedLayers::all;
  double eps = 1e-5, momentum = 0.1;  ///< see NormalizationOptions
  bool affine = true;

  bool operator==(const ConvStackOptions&) const = default;
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

/// How well a network does on the test crops: the mean loss, and the share that it gets wrong.
struct StackScore {
  double loss = 0, error = 0;
};

/// What came of one. All are NaN from the step on at which the loss is no longer finite.
struct StackResult {
  std::vector<double> first_gradients = {};  ///< relative_gradients() before the first step
  std::vector<double> later_gradients = {};  ///< those of the last tenth of the steps, on average
  double training_loss = 0;                  ///< mean of the last tenth of the steps
  double training_error = 0;        ///< the same of the share of crops that were taken for another class
  StackScore test = {};             ///< in eval mode
  StackScore test_in_batches = {};  ///< in training mode, in batches of the training's size
  double guess_loss = 0;            ///< of one who knows nothing: the logarithm of the number of classes
  Index diverged_at = 0;            ///< the step, counted from 1, whose loss was not finite; 0: none was
};

/// The weights of its convolutions, first to last.
std::vector<Tensor> convolution_weights(const ConvStack& net);

/// The batches that a training sees: mirrored and moved at random.
LabelledBatches stack_batches(const ClassificationTask& task, const StackTraining& training);

/// `after_step` is called with the number of steps done; when it returns false, the training ends without a result.
std::optional<StackResult> train_stack(const ClassificationTask& task, const ConvStackOptions& options,
                                       const StackTraining& training,
                                       const std::function<bool(Index)>& after_step = {});

}  // namespace gesso
