// The convolution layers. What they compute is in autograd/convolution.h; here are their parameters.
#pragma once

#include "gesso/autograd/convolution.h"
#include "gesso/core/generator.h"
#include "gesso/layers/fused_activation.h"

namespace gesso {

/// As Conv2dFunctionOptions, and whether there is a bias.
struct Conv2dOptions {
  Size2d stride = 1;
  Size2d padding = 0;
  Size2d dilation = 1;
  Index groups = 1;
  bool bias = true;
  PaddingMode padding_mode = PaddingMode::zeros;
  bool same = false;
};

/// conv2d with trained weight and bias: (N, in, H, W) or (in, H, W) to pictures of `out` channels.
///
///     Conv2d conv(3, 32, 9, {.padding = 4, .padding_mode = PaddingMode::reflect}, rng);
///
/// Parameters: weight (out, in / groups, kernel height, kernel width), bias (out). Both begin as in PyTorch,
/// uniform within 1 / sqrt(in / groups * kernel height * kernel width).
class Conv2d : public FusedActivation {
 public:
  using Options = Conv2dOptions;

  /// Throws ArgumentError for sizes below 1, negative padding, and groups that do not divide `in` and `out`.
  Conv2d(Index in, Index out, Size2d kernel, const Conv2dOptions& options, Generator& rng);
  Conv2d(Index in, Index out, Size2d kernel, Generator& rng) : Conv2d(in, out, kernel, {}, rng) {}

  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;
  const Conv2dFunctionOptions& options() const { return options_; }
  /// What it convolves with now: weight, unless a layer derived from this one computes it (weighted_layer.h).
  virtual Tensor effective_weight() const { return weight; }

  Tensor weight, bias;  ///< bias is undefined when switched off

 private:
  Conv2dFunctionOptions options_;
};

/// As ConvTranspose2dFunctionOptions, and whether there is a bias.
struct ConvTranspose2dOptions {
  Size2d stride = 1;
  Size2d padding = 0;
  Size2d output_padding = 0;
  Index groups = 1;
  bool bias = true;
  Size2d dilation = 1;
};

/// conv_transpose2d with trained weight and bias. Parameters: weight (in, out / groups, kernel height, kernel
/// width), bias (out). Both begin as in PyTorch, uniform within
/// 1 / sqrt(out / groups * kernel height * kernel width).
class ConvTranspose2d : public Module {
 public:
  using Options = ConvTranspose2dOptions;

  /// Throws ArgumentError for sizes below 1, negative padding, and groups that do not divide `in` and `out`.
  ConvTranspose2d(Index in, Index out, Size2d kernel, const ConvTranspose2dOptions& options, Generator& rng);
  ConvTranspose2d(Index in, Index out, Size2d kernel, Generator& rng)
      : ConvTranspose2d(in, out, kernel, {}, rng) {}

  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;
  const ConvTranspose2dFunctionOptions& options() const { return options_; }
  /// As of Conv2d.
  virtual Tensor effective_weight() const { return weight; }

  Tensor weight, bias;  ///< bias is undefined when switched off

 private:
  ConvTranspose2dFunctionOptions options_;
};

}  // namespace gesso
