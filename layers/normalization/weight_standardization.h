// Weight standardization: the weights of each output have mean 0 and variance 1. Qiao, Wang, Liu, Shen and
// Yuille 2019, "Micro-Batch Training with Batch-Channel Normalization and Weight Standardization", arXiv
// 1903.10520.
#pragma once

#include "gesso/autograd/shape_ops.h"
#include "gesso/autograd/weight_normalization.h"
#include "gesso/layers/normalization/weighted_layer.h"

namespace gesso {

/// A Conv2d, ConvTranspose2d or Linear that is made as those are, and computes with
///
///     w = (weight - mean) / sqrt(variance + eps)
///
/// mean and biased variance being over the weights of one output channel. It is meant to stand before a
/// normalization of activations, group norm above all, which undoes the size that the result then has:
///
///     net.emplace<WeightStandardization<Conv2d>>(3, 32, 3, {.padding = 1}, rng);
///     net.emplace<GroupNorm>(8, 32);
///
/// Parameters are the layer's own: weight, as it was before, and bias. forward() throws ArgumentError where
/// an output has one weight.
template <WeightedLayer Layer>
class WeightStandardization : public Layer {
 public:
  using Layer::Layer;

  Tensor effective_weight() const override {
    if constexpr (std::same_as<Layer, ConvTranspose2d>) {
      // (in, out / groups, kh, kw): the rows of an output channel are those of its group's input channels.
      const Tensor& weight = this->weight;
      const Index groups = this->options().groups, in = weight.size(0) / groups, out = weight.size(1);
      const Tensor by_group = weight.reshape({groups, in, out, weight.size(2) * weight.size(3)});
      const Tensor rows = transpose(by_group, 1, 2).reshape({groups * out, in * by_group.size(3)});
      const Tensor standard = standardize_weight(rows, eps).reshape({groups, out, in, by_group.size(3)});
      return transpose(standard, 1, 2).reshape(weight.shape());
    } else {
      return standardize_weight(this->weight, eps);
    }
  }

  double eps = 1e-5;  ///< inside the root; timm's StdConv2d has 1e-6
};

}  // namespace gesso
