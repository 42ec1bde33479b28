#include "gesso/layers/normalization/conditional.h"

#include "gesso/autograd/batch_share.h"
#include "gesso/autograd/linear.h"
#include "gesso/autograd/matmul.h"
#include "gesso/autograd/shape_ops.h"

namespace gesso {

ConditionalInstanceNorm2d::ConditionalInstanceNorm2d(Index styles, Index channels,
                                                     const ConditionalInstanceNormOptions& options)
    : NormalizationLayer(options.eps) {
  require(styles >= 1 && channels >= 1, "ConditionalInstanceNorm2d: ", styles, " styles and ", channels,
          " channels; both must be at least 1");
  weight = register_parameter("weight", Tensor::ones({styles, channels}));
  bias = register_parameter("bias", Tensor::zeros({styles, channels}));
  set_style(0);
}

void ConditionalInstanceNorm2d::set_styles(const std::vector<Index>& styles) {
  require(!styles.empty(),
          "ConditionalInstanceNorm2d: no style was given; give one for all samples or one for each");
  Tensor mix = Tensor::zeros({static_cast<Index>(styles.size()), this->styles()});
  for (std::size_t n = 0; n < styles.size(); ++n) {
    require(styles[n] >= 0 && styles[n] < this->styles(), "ConditionalInstanceNorm2d: style ", styles[n],
            " does not exist; there are styles 0 to ", this->styles() - 1);
    mix.set({static_cast<Index>(n), styles[n]}, 1);
  }
  mix_ = mix;
}

void ConditionalInstanceNorm2d::set_mix(const Tensor& mix) {
  require_defined(mix, "ConditionalInstanceNorm2d", "mix");
  require(mix.rank() == 2 && mix.size(0) >= 1 && mix.size(1) == styles(),
          "ConditionalInstanceNorm2d: mix has shape ", mix.shape(), "; with ", styles(),
          " styles it needs (N, ", styles(), "), or (1, ", styles(), ") for all samples");
  mix_ = mix;
}

Tensor ConditionalInstanceNorm2d::rows_of(const Tensor& table) const {
  const Tensor mix = mix_.to(table.dtype());
  const auto share = BatchShare::current();
  if (share && (mix.size(0) > 1 || needs_grad(mix_))) {
    // Of this rank's samples alone; the table's gradient is a sum over all samples.
    const Tensor own = needs_grad(mix_) ? mix : mix.slice(share->first(), share->first() + share->count());
    return linear(own, transpose(table, 0, 1));
  }
  const Tensor rows = matmul(mix, table);
  return rows.size(0) == 1 ? rows.reshape({rows.size(1)}) : rows;
}

Shape ConditionalInstanceNorm2d::batched_shape(const Shape& x) const {
  const Index channels = weight.size(1);
  require((x.rank() == 3 || x.rank() == 4) && x[-3] == channels, "ConditionalInstanceNorm2d: x has shape ", x,
          "; it takes (N, ", channels, ", H, W) or (", channels, ", H, W)");
  const auto share = BatchShare::current();
  const Index samples = share && !needs_grad(mix_) ? share->total() : x.rank() == 3 ? 1 : x[0];
  require(mix_.size(0) == 1 || mix_.size(0) == samples, "ConditionalInstanceNorm2d: styles were set for ",
          mix_.size(0), " samples, x ", x, " is of a batch of ", samples,
          "; set one style for all or one for each");
  return x.rank() == 3 ? with_batch(x) : x;
}

Tensor ConditionalInstanceNorm2d::forward(const Tensor& x) {
  const Tensor planes = batched(x);
  return unbatched(
      instance_norm(planes, rows_of(weight), rows_of(bias), {}, true, {.eps = eps()}, activation()), x);
}

std::vector<NormalizationPart> ConditionalInstanceNorm2d::parts(const Shape& batched) const {
  const AffineRows rows = mix_.size(0) == 1 ? AffineRows::per_channel : AffineRows::per_plane;
  return {{NormalizationAxes::instance(batched, rows), rows_of(weight), rows_of(bias), {}}};
}

std::string ConditionalInstanceNorm2d::extra_repr() const {
  return concat_text(styles(), ", ", weight.size(1), eps_text(), statistics_text());
}

namespace {

template <class F>
void for_each_conditional_norm(Module& network, F&& f) {
  for (const auto& [name, module] : network.named_modules()) {
    if (auto* norm = dynamic_cast<ConditionalInstanceNorm2d*>(module)) {
      f(*norm);
    }
  }
}

}  // namespace

void set_styles(Module& network, const std::vector<Index>& styles) {
  for_each_conditional_norm(network, [&](ConditionalInstanceNorm2d& norm) { norm.set_styles(styles); });
}

void set_style_mix(Module& network, const Tensor& mix) {
  for_each_conditional_norm(network, [&](ConditionalInstanceNorm2d& norm) { norm.set_mix(mix); });
}

}  // namespace gesso
