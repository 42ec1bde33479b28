// Layers without parameters that change the size of pictures, and Flatten. What they compute is described in
// autograd/pooling.h, autograd/upsampling.h and autograd/padding.h.
#pragma once

#include "gesso/autograd/padding.h"
#include "gesso/autograd/pooling.h"
#include "gesso/layers/module.h"

namespace gesso {

/// max_pool2d: MaxPool2d pool({.kernel = 3, .stride = 2});
class MaxPool2d : public Module {
 public:
  using Options = Pool2dOptions;

  explicit MaxPool2d(const Pool2dOptions& options = {}) : options_(options) {}
  Tensor forward(const Tensor& x) override { return max_pool2d(x, options_); }
  std::string extra_repr() const override;
  const Pool2dOptions& options() const { return options_; }

 private:
  Pool2dOptions options_;
};

/// avg_pool2d
class AvgPool2d : public Module {
 public:
  using Options = Pool2dOptions;

  explicit AvgPool2d(const Pool2dOptions& options = {}) : options_(options) {}
  Tensor forward(const Tensor& x) override { return avg_pool2d(x, options_); }
  std::string extra_repr() const override;
  const Pool2dOptions& options() const { return options_; }

 private:
  Pool2dOptions options_;
};

/// adaptive_avg_pool2d: AdaptiveAvgPool2d pool(1) is the mean of each plane.
class AdaptiveAvgPool2d : public Module {
 public:
  explicit AdaptiveAvgPool2d(Size2d size) : size_(size) {}
  Tensor forward(const Tensor& x) override { return adaptive_avg_pool2d(x, size_); }
  std::string extra_repr() const override;
  const Size2d& size() const { return size_; }

 private:
  Size2d size_;
};

enum class UpsampleMode { nearest, bilinear };

struct UpsampleOptions {
  double scale = 2;  ///< new height / old height; a whole number for nearest
  UpsampleMode mode = UpsampleMode::nearest;
  bool align_corners = false;  ///< for bilinear: the centres of corner pixels stay in the corners
};

/// upsample_nearest2d or upsample_bilinear2d by a fixed scale.
class Upsample : public Module {
 public:
  using Options = UpsampleOptions;

  /// Throws ArgumentError unless the scale is positive and fits the mode, and align_corners comes with
  /// bilinear.
  explicit Upsample(const UpsampleOptions& options = {});
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;
  const UpsampleOptions& options() const { return options_; }

 private:
  UpsampleOptions options_;
};

/// reflection_pad2d: ReflectionPad2d pad(4); or {left, right, top, bottom}.
class ReflectionPad2d : public Module {
 public:
  /// Throws ArgumentError for negative padding.
  explicit ReflectionPad2d(const Padding2d& padding);
  Tensor forward(const Tensor& x) override { return reflection_pad2d(x, padding_); }
  std::string extra_repr() const override;
  const Padding2d& padding() const { return padding_; }

 private:
  Padding2d padding_;
};

/// (N, C, H, W) to (N, C H W): all dimensions but the first become one.
class Flatten : public Module {
 public:
  /// Throws ArgumentError for a scalar.
  Tensor forward(const Tensor& x) override;
};

}  // namespace gesso
