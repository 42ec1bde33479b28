#include "gesso/layers/normalization/rms_norm.h"

#include <algorithm>

namespace gesso {

RMSNorm::RMSNorm(const Shape& normalized_shape, const RMSNormOptions& options)
    : NormalizationLayer(options.eps), normalized_shape_(normalized_shape) {
  require(normalized_shape.rank() >= 1 && normalized_shape.numel() >= 1, "RMSNorm: normalized_shape ",
          normalized_shape, " must have at least one size, all of them at least 1");
  require(options.eps.value_or(0) >= 0, "RMSNorm: eps ", options.eps.value_or(0), " is negative");
  if (options.elementwise_affine) {
    weight = register_parameter("weight", Tensor::ones(normalized_shape));
  }
}

Shape RMSNorm::batched_shape(const Shape& x) const {
  const int rank = normalized_shape_.rank();
  require(x.rank() >= rank && std::equal(normalized_shape_.begin(), normalized_shape_.end(), x.end() - rank),
          "RMSNorm: x has shape ", x, ", which does not end in normalized_shape ", normalized_shape_);
  return x;
}

Tensor RMSNorm::forward(const Tensor& x) {
  const Tensor rows = batched(x);
  return rms_norm(rows, normalized_shape_, weight, eps(rows.dtype()), activation());
}

std::vector<NormalizationPart> RMSNorm::parts(const Shape& batched) const {
  const Tensor zeros = weight.defined() ? Tensor::zeros(normalized_shape_, weight.dtype()) : Tensor();
  return {{NormalizationAxes::rms(batched, normalized_shape_.rank()), weight, zeros, {}}};
}

std::string RMSNorm::extra_repr() const {
  return concat_text(normalized_shape_, eps_text(),
                     ", elementwise_affine=", weight.defined() ? "true" : "false", statistics_text());
}

}  // namespace gesso
