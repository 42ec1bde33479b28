// The network that is trained, and what is kept of it afterwards.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gesso/core/files/safetensors.h"
#include "gesso/layers/conv2d.h"
#include "gesso/layers/linear.h"
#include "gesso/layers/module.h"
#include "gesso/layers/normalization/batch_norm.h"

namespace gesso {

/// Tells from a crop which picture it was cut out of: four stages of 3x3 convolutions, each with batch norm
/// and ReLU; 2x2 means halve the picture between stages; the mean over the last stage goes to one linear
/// layer. 436 000 parameters before it.
///
///     stage     1       2       3         4      mean   linear
///     channels  32 32   64 64   128 128   128    128    one a picture
class Classifier : public Module {
 public:
  Classifier(Index pictures, Generator& rng);

  /// Crops (N, 3, H, W) in [0, 1], H and W multiples of 8, to logits (N, pictures).
  Tensor forward(const Tensor& crops) override;

  /// The convolutions with batch norm, as it is in evaluation, folded in: convS_I.weight and convS_I.bias,
  /// the parameters of a TrainedStack. With s = gamma / sqrt(running_var + eps), channel by channel,
  ///
  ///     weight' = s weight,   bias' = beta - s running_mean
  NamedTensors folded() const;

 private:
  struct Layer {
    std::string name;  // "3_1": stage 3, first convolution
    bool pooled;       // whether its input is pooled first
    std::unique_ptr<Conv2d> convolution;
    std::unique_ptr<BatchNorm2d> norm;
  };
  std::vector<Layer> layers_;
  std::unique_ptr<Linear> head_;
};

}  // namespace gesso
