// Spectral normalization: the weight's largest singular value is 1. Miyato, Kataoka, Koyama and Yoshida 2018,
// "Spectral Normalization for Generative Adversarial Networks", arXiv 1802.05957.
#pragma once

#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/shape_ops.h"
#include "gesso/autograd/weight_normalization.h"
#include "gesso/layers/normalization/weighted_layer.h"

namespace gesso {

/// A Conv2d, ConvTranspose2d or Linear that is made as those are, and computes with
///
///     w = weight_orig / sigma
///
/// sigma being the largest singular value of weight_orig as a matrix with a row for every output channel, as
/// torch.nn.utils.spectral_norm has it:
///
///     SpectralNorm<Linear> layer(64, 10, rng);
///
/// sigma is found by power iteration: a forward in training makes one step, one in eval() none. Parameters,
/// under PyTorch's keys: bias; weight_orig, which is the member `weight`. Buffers: weight_u and weight_v, the
/// singular vectors, which begin after kFirstIterations steps from random ones (drawn from a generator of
/// their own). For files with the keys of torch.nn.utils.parametrizations see classic_weight_key().
template <WeightedLayer Layer>
class SpectralNorm : public Layer {
 public:
  static constexpr Index kFirstIterations = 15;  // as torch.nn.utils.parametrizations.spectral_norm

  using Layer::Layer;

  Tensor forward(const Tensor& x) override {
    if (this->is_training()) {
      power_iteration(rows(), vectors_, power_iterations, eps);
    }
    return Layer::forward(x);
  }
  /// With the vectors as they are.
  Tensor effective_weight() const override { return this->weight / sigma(); }
  /// The largest singular value, with the vectors as they are.
  Tensor sigma() const { return largest_singular_value(rows(), vectors_); }

  Index power_iterations = 1;  ///< in each forward in training
  double eps = 1e-12;          ///< vectors are divided by their length, but by no less than this

 private:
  SingularVectors register_all() {
    this->unregister_parameter("weight");
    this->register_parameter("weight_orig", this->weight);
    const Tensor matrix = rows();
    Generator rng(0);
    const Tensor u = Tensor::randn({matrix.size(0)}, rng);
    const Tensor v = Tensor::randn({matrix.numel() / matrix.size(0)}, rng);
    const SingularVectors all{this->register_buffer("weight_u", u), this->register_buffer("weight_v", v)};
    power_iteration(matrix, all, kFirstIterations, eps);
    return all;
  }
  // A row for every output channel.
  Tensor rows() const {
    if constexpr (std::same_as<Layer, ConvTranspose2d>) {
      return transpose(this->weight, 0, 1);
    } else {
      return this->weight;
    }
  }

  SingularVectors vectors_ = register_all();
};

}  // namespace gesso
