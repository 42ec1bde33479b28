#include "gesso/layers/normalization/layer.h"

namespace gesso {

const char* name_of(Statistics statistics) {
  return statistics == Statistics::per_instance ? "per_instance"
         : statistics == Statistics::per_batch  ? "per_batch"
                                                : "running";
}

std::ostream& operator<<(std::ostream& out, Statistics statistics) { return out << name_of(statistics); }

void NormalizationLayer::set_statistics(std::optional<Statistics> statistics) {
  if (statistics) {
    require_statistics(*statistics);
  }
  forced_ = statistics;
}

void NormalizationLayer::require_statistics(Statistics statistics) const {
  require(statistics == Statistics::per_instance, type_name(), ": it has no ", statistics,
          " statistics, only per_instance; BatchNorm2d and InstanceNorm2d can be told to use any");
}

Tensor NormalizationLayer::batched(const Tensor& x) const {
  require(x.defined(), type_name(), ": x is undefined");
  const Shape batched = batched_shape(x.shape());
  return batched == x.shape() ? x : x.reshape(batched);
}

Tensor NormalizationLayer::unbatched(const Tensor& y, const Tensor& x) {
  return y.shape() == x.shape() ? y : y.reshape(x.shape());
}

Shape NormalizationLayer::with_batch(const Shape& sample) {
  std::vector<Index> sizes = {1};
  sizes.insert(sizes.end(), sample.begin(), sample.end());
  return Shape(sizes);
}

std::string NormalizationLayer::eps_text() const {
  return concat_text(", eps=", eps_ ? concat_text(*eps_) : "none");
}

std::string NormalizationLayer::statistics_text() const {
  return concat_text(activation_text(), ", statistics=", statistics());
}

}  // namespace gesso
