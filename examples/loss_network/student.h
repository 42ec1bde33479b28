// The network that is trained, and what is kept of it afterwards.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gesso/layers/conv2d.h"
#include "gesso/layers/module.h"
#include "gesso/layers/normalization/batch_norm.h"
#include "painting/squeezenet.h"

namespace gesso {

/// A SqueezeNet (painting/squeezenet.h) down to its deepest tap, with batch norm after each convolution, from
/// random weights.
class Student : public Module {
 public:
  explicit Student(Generator& rng);

  /// Pictures (N, 3, H, W) in [0, 1] to the result of each layer, after its ReLU.
  std::vector<Tensor> features(const Tensor& pictures);
  /// The deepest of them.
  Tensor forward(const Tensor& pictures) override { return features(pictures).back(); }

  /// From now on batch norm uses its running statistics, in training too: what is trained from then on is
  /// what folded() returns, and no longer depends on what else is in the batch.
  void freeze_statistics();

  /// The parameters of the SqueezeNet that computes the same as this in evaluation, except that the features
  /// of layer i are scaled by scales[i], (C), channel by channel. Batch norm is folded in: with
  /// s = gamma / sqrt(running_var + eps),
  ///
  ///     weight' = s weight,   bias' = beta - s running_mean
  ///
  /// and a channel's scale goes to the filters that make it, its inverse to those that read it: ReLU and
  /// maxima are homogeneous. Throws ArgumentError for scales that are not positive, or not one a channel.
  NamedTensors folded(const std::vector<Tensor>& scales) const;

 private:
  struct Convolution {
    std::string key;  // "features.3.squeeze"
    std::unique_ptr<Conv2d> convolution;
    std::unique_ptr<BatchNorm2d> norm;  // with the ReLU

    Tensor operator()(const Tensor& x) { return (*norm)((*convolution)(x)); }
  };
  struct Layer {
    SqueezeNetLayer shape;
    std::vector<Convolution> convolutions;  // conv1 alone, or squeeze and both halves
  };
  Convolution make(const std::string& key, Index in, Index out, Index kernel, Index stride, Generator& rng);

  std::vector<Layer> layers_;
};

}  // namespace gesso
