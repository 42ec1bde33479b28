#include "gesso/layers/group_norm.h"

#include <algorithm>

namespace gesso {

GroupNorm::GroupNorm(std::int64_t groups, std::int64_t channels, const GroupNormOptions& options)
    : NormalizationLayer(options.eps, options.relu), groups_(groups), channels_(channels) {
  require(channels >= 1 && groups >= 1 && channels % groups == 0, "GroupNorm: ", channels,
          " channels cannot be cut into ", groups, " groups of one size");
  if (options.affine) {
    weight = register_parameter("weight", Tensor::ones({channels}));
    bias = register_parameter("bias", Tensor::zeros({channels}));
  }
}

Tensor GroupNorm::forward(const Tensor& x) {
  require_defined(x, "GroupNorm", "x");
  require(x.rank() >= 2 && x.size(1) == channels_, "GroupNorm: x has shape ", x.shape(), "; it takes (N, ",
          channels_, ", ...)");
  return group_norm(x, groups_, weight, bias, options());
}

std::vector<NormalizationPart> GroupNorm::parts(const Shape& shape) const {
  return {{NormalizationAxes::group(shape, groups_), weight, bias, {}}};
}

std::string GroupNorm::extra_repr() const {
  return concat_text(groups_, ", ", channels_, eps_text(), ", affine=", weight.defined() ? "true" : "false",
                     statistics_text());
}

LayerNorm::LayerNorm(const Shape& normalized_shape, const LayerNormOptions& options)
    : NormalizationLayer(options.eps, options.relu), normalized_shape_(normalized_shape) {
  require(normalized_shape.rank() >= 1 && normalized_shape.numel() >= 1, "LayerNorm: normalized_shape ",
          normalized_shape, " must have at least one size, all of them at least 1");
  if (options.elementwise_affine) {
    weight = register_parameter("weight", Tensor::ones(normalized_shape));
    bias = register_parameter("bias", Tensor::zeros(normalized_shape));
  }
}

Tensor LayerNorm::forward(const Tensor& x) {
  return layer_norm(x, normalized_shape_, weight, bias, options());
}

std::vector<NormalizationPart> LayerNorm::parts(const Shape& shape) const {
  return {{NormalizationAxes::layer(shape, normalized_shape_.rank()), weight, bias, {}}};
}

std::string LayerNorm::extra_repr() const {
  return concat_text(normalized_shape_, eps_text(),
                     ", elementwise_affine=", weight.defined() ? "true" : "false", statistics_text());
}

}  // namespace gesso
