// One layer of each member of the family for tests that hold for all of them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gesso/layers/normalization/batch_instance.h"
#include "gesso/layers/normalization/batch_norm.h"
#include "gesso/layers/normalization/conditional.h"
#include "gesso/layers/normalization/group_norm.h"
#include "gesso/layers/normalization/instance_norm.h"
#include "gesso/layers/normalization/rms_norm.h"

namespace gesso::testing {

struct Member {
  std::string name;
  std::shared_ptr<NormalizationLayer> layer;
};

/// Every member for pictures of shape (N, C, H, W), in training and where it differs in evaluation, with
/// random parameters and running statistics.
inline std::vector<Member> normalization_family(const Shape& x, Generator& rng, DType dtype,
                                                Activation activation = Activation::none) {
  const Index channels = x[1];
  const auto random = [&](const Shape& shape, double low, double high) {
    return Tensor::uniform(shape, rng, low, high, dtype);
  };
  std::vector<Member> family;
  const auto add = [&](const std::string& name, std::shared_ptr<NormalizationLayer> layer,
                       bool evaluate = false) {
    layer->to(dtype);
    layer->then(activation);
    for (auto [key, parameter] : layer->named_parameters()) {
      parameter.copy_(key == "rho" ? random(parameter.shape(), 0.1, 0.9) : random(parameter.shape(), -2, 2));
    }
    for (auto [key, buffer] : layer->named_buffers()) {
      if (key != "num_batches_tracked") {
        buffer.copy_(key == "running_var" ? random(buffer.shape(), 0.5, 2) : random(buffer.shape(), -1, 1));
      }
    }
    layer->train(!evaluate);
    family.push_back({name, std::move(layer)});
  };
  add("instance norm", std::make_shared<InstanceNorm2d>(channels));
  add("affine instance norm",
      std::make_shared<InstanceNorm2d>(channels, InstanceNormOptions{.affine = true}));
  for (bool evaluate : {false, true}) {
    const std::string mode = evaluate ? " in evaluation" : " in training";
    add("tracking instance norm" + mode,
        std::make_shared<InstanceNorm2d>(channels,
                                         InstanceNormOptions{.affine = true, .track_running_stats = true}),
        evaluate);
    add("batch norm" + mode, std::make_shared<BatchNorm2d>(channels), evaluate);
    add("batch-instance norm" + mode, std::make_shared<BatchInstanceNorm2d>(channels), evaluate);
  }
  for (Index groups = 1; groups <= channels; ++groups) {
    if (channels % groups == 0) {
      add(concat_text("group norm ", groups), std::make_shared<GroupNorm>(groups, channels));
    }
  }
  add("layer norm", std::make_shared<LayerNorm>(Shape{x[1], x[2], x[3]}));
  add("RMS norm", std::make_shared<RMSNorm>(Shape{x[1], x[2], x[3]}));
  auto conditional = std::make_shared<ConditionalInstanceNorm2d>(3, channels);
  conditional->set_mix(random({x[0], 3}, -1, 1));
  add("conditional instance norm", conditional);
  return family;
}

}  // namespace gesso::testing
