// Weight normalization: length and direction of each output's weights are trained apart. Salimans and Kingma
// 2016, "Weight Normalization: A Simple Reparameterization to Accelerate Training of Deep Neural Networks",
// arXiv 1602.07868.
#pragma once

#include "gesso/autograd/weight_normalization.h"
#include "gesso/layers/normalization/weighted_layer.h"

namespace gesso {

/// A Conv2d, ConvTranspose2d or Linear that is made as those are, and computes with
///
///     w = weight_g weight_v / |weight_v|
///
/// where the norm is over all but the first dimension, as torch.nn.utils.weight_norm has it:
///
///     WeightNorm<Conv2d> conv(3, 32, 9, {.padding = 4}, rng);
///     net.emplace<WeightNorm<Linear>>(64, 10, rng);
///
/// Parameters, under PyTorch's keys: bias; weight_g (n, 1, ...), which begins as |weight_v|, so that the
/// layer begins as it would without; weight_v (n, ...), which is the member `weight`. For files with the keys
/// of torch.nn.utils.parametrizations see classic_weight_key().
template <WeightedLayer Layer>
class WeightNorm : public Layer {
 public:
  using Layer::Layer;

  Tensor effective_weight() const override { return weight_norm(this->weight, weight_g); }

  Tensor weight_g = register_both();

 private:
  Tensor register_both() {
    this->unregister_parameter("weight");
    const Tensor g = this->register_parameter("weight_g", row_norms(this->weight.detach()));
    this->register_parameter("weight_v", this->weight);
    return g;
  }
};

}  // namespace gesso
