// The common part of layers that can apply an activation in the pass over memory that writes their result.
#pragma once

#include <string>

#include "gesso/core/activation.h"
#include "gesso/layers/module.h"

namespace gesso {

/// The base of Conv2d and of the normalization layers.
///
///     net.emplace<BatchNorm2d>(32).then(Activation::relu);
///
/// gives what a ReLU after the layer would, without reading and writing the result once more, and without
/// keeping it for backward.
class FusedActivation : public Module {
 public:
  /// From now on the result goes through `activation`.
  FusedActivation& then(Activation activation) {
    activation_ = activation;
    return *this;
  }
  Activation activation() const { return activation_; }

 protected:
  /// A piece of extra_repr(): ", relu=true", or nothing.
  std::string activation_text() const { return activation_ == Activation::relu ? ", relu=true" : ""; }

 private:
  Activation activation_ = Activation::none;
};

}  // namespace gesso
