#include "gesso/layers/normalization/group_norm.h"

#include <algorithm>

namespace gesso {

GroupNorm::GroupNorm(Index groups, Index channels, const GroupNormOptions& options)
    : NormalizationLayer(options.eps), groups_(groups), channels_(channels) {
  require(channels >= 1 && groups >= 1 && channels % groups == 0, "GroupNorm: ", channels,
          " channels cannot be cut into ", groups, " groups of one size");
  if (options.affine) {
    weight = register_parameter("weight", Tensor::ones({channels}));
    bias = register_parameter("bias", Tensor::zeros({channels}));
  }
}

Shape GroupNorm::batched_shape(const Shape& x) const {
  require(x.rank() >= 2 && x[1] == channels_, "GroupNorm: x has shape ", x, "; it takes (N, ", channels_,
          ", ...)");
  return x;
}

Tensor GroupNorm::forward(const Tensor& x) {
  return group_norm(batched(x), groups_, weight, bias, {.eps = eps()}, activation());
}

std::vector<NormalizationPart> GroupNorm::parts(const Shape& batched) const {
  return {{NormalizationAxes::group(batched, groups_), weight, bias, {}}};
}

std::string GroupNorm::extra_repr() const {
  return concat_text(groups_, ", ", channels_, eps_text(), ", affine=", weight.defined() ? "true" : "false",
                     statistics_text());
}

LayerNorm::LayerNorm(const Shape& normalized_shape, const LayerNormOptions& options)
    : NormalizationLayer(options.eps), normalized_shape_(normalized_shape) {
  require(normalized_shape.rank() >= 1 && normalized_shape.numel() >= 1, "LayerNorm: normalized_shape ",
          normalized_shape, " must have at least one size, all of them at least 1");
  if (options.elementwise_affine) {
    weight = register_parameter("weight", Tensor::ones(normalized_shape));
    bias = register_parameter("bias", Tensor::zeros(normalized_shape));
  }
}

Shape LayerNorm::batched_shape(const Shape& x) const {
  const int rank = normalized_shape_.rank();
  require(x.rank() >= rank && std::equal(normalized_shape_.begin(), normalized_shape_.end(), x.end() - rank),
          "LayerNorm: x has shape ", x, ", which does not end in normalized_shape ", normalized_shape_);
  return x;
}

Tensor LayerNorm::forward(const Tensor& x) {
  return layer_norm(batched(x), normalized_shape_, weight, bias, {.eps = eps()}, activation());
}

std::vector<NormalizationPart> LayerNorm::parts(const Shape& batched) const {
  return {{NormalizationAxes::layer(batched, normalized_shape_.rank()), weight, bias, {}}};
}

std::string LayerNorm::extra_repr() const {
  return concat_text(normalized_shape_, eps_text(),
                     ", elementwise_affine=", weight.defined() ? "true" : "false", statistics_text());
}

}  // namespace gesso
