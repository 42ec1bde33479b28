// Conditional instance normalization: one network, many styles. Dumoulin, Shlens and Kudlur 2017, "A Learned
// Representation for Artistic Style", arXiv 1610.07629: everything is shared except one row of gamma and beta
// per style.
//
// Read core/normalization/plain.h first: it defines what instance norm computes.
#pragma once

#include <vector>

#include "gesso/layers/normalization/layer.h"

namespace gesso {

/// As InstanceNorm2d; there is always a gamma and a beta.
struct ConditionalInstanceNormOptions {
  double eps = 1e-5;
};

/// Instance norm whose gamma and beta are those of the chosen style, or a weighted mix of them:
///
///     y[n] = (sum_s mix[n, s] weight[s]) x-hat[n] + (sum_s mix[n, s] bias[s])
///
///     ConditionalInstanceNorm2d norm(10, 32);  // 10 styles, 32 channels
///     norm.set_style(3);                       // all samples in style 3
///     norm.set_styles({0, 4});                 // sample 0 in style 0, sample 1 in style 4
///     norm.set_mix(Tensor::from({0.3, 0.7}, {1, 2}));  // of two styles
///
/// Begins with style 0. Parameters: weight and bias (styles, channels), beginning as 1 and 0. The choice is
/// not part of the state dict.
class ConditionalInstanceNorm2d : public NormalizationLayer {
 public:
  using Options = ConditionalInstanceNormOptions;

  /// Throws ArgumentError for fewer than one style or channel.
  ConditionalInstanceNorm2d(Index styles, Index channels, const ConditionalInstanceNormOptions& options = {});

  Index styles() const { return weight.size(0); }
  /// All samples get this style. Throws ArgumentError unless 0 <= style < styles().
  void set_style(Index style) { set_styles({style}); }
  /// Sample n gets style styles[n]; a single one is for all. Where a batch is shared out among processes
  /// (autograd/batch_share.h), the samples are those of the whole batch; a mix that requires a gradient has the process's
  /// own.
  void set_styles(const std::vector<Index>& styles);
  /// Sample n gets the mix of row n of `mix` (N, styles); a single row is for all. Any weights will do, not
  /// only those that add up to 1. Gradients go to mix if it requires one. Throws ArgumentError for another
  /// shape.
  void set_mix(const Tensor& mix);

  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;
  Shape batched_shape(const Shape& x) const override;
  std::vector<NormalizationPart> parts(const Shape& batched) const override;

  Tensor weight, bias;

 private:
  /// The rows of gamma and beta for each sample, (N, C), or (C) for all.
  Tensor rows_of(const Tensor& table) const;

  Tensor mix_;  // (N or 1, styles)
};

/// Calls set_styles(styles) or set_mix(mix) of every ConditionalInstanceNorm2d in `network`.
void set_styles(Module& network, const std::vector<Index>& styles);
void set_style_mix(Module& network, const Tensor& mix);

}  // namespace gesso
