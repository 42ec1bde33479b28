#include "gesso/layers/normalization/batch_instance.h"

#include <algorithm>

#include "gesso/autograd/elementwise.h"

namespace gesso {
namespace {

// rho <- clip(rho, 0, 1) in place: a clamp in the graph would have no gradient outside and keep rho there.
void clip(Tensor rho) {
  with_dtype(rho.dtype(), [&]<class T>() {
    const T* values = rho.data<T>();
    const bool inside =
        std::all_of(values, values + rho.numel(), [](T value) { return value >= 0 && value <= 1; });
    if (!inside) {
      T* changed = rho.mutable_data<T>("the clipping of BatchInstanceNorm2d's rho");
      std::transform(changed, changed + rho.numel(), changed,
                     [](T value) { return std::clamp<T>(value, 0, 1); });
    }
  });
}

}  // namespace

BatchInstanceNorm2d::BatchInstanceNorm2d(Index channels, const BatchNormOptions& options)
    : BatchNorm(channels, 4, 4, options) {
  rho = register_parameter("rho", Tensor::ones({channels}));
}

void BatchInstanceNorm2d::require_statistics(Statistics statistics) const {
  require(statistics != Statistics::per_instance,
          "BatchInstanceNorm2d: its batch part can use per_batch or running statistics; "
          "set rho to 0 for an instance norm");
  ChannelNorm::require_statistics(statistics);
}

std::pair<Tensor, Tensor> BatchInstanceNorm2d::gammas() const {
  const Tensor rest = 1.0 - rho;
  return weight.defined() ? std::pair(weight * rho, weight * rest) : std::pair(rho, rest);
}

Tensor BatchInstanceNorm2d::forward(const Tensor& x) {
  const Tensor batch = batched(x);
  clip(rho);
  const auto [batch_gamma, instance_gamma] = gammas();
  const Tensor instance_part = instance_norm(batch, instance_gamma, {}, {}, true, options());
  const Tensor y = normalize(batch, batch_gamma, Activation::none) + instance_part;
  return activation() == Activation::relu ? relu(y) : y;  // it comes after the sum
}

std::vector<NormalizationPart> BatchInstanceNorm2d::parts(const Shape& batched) const {
  std::vector<NormalizationPart> parts = ChannelNorm::parts(batched);
  const auto [batch_gamma, instance_gamma] = gammas();
  parts[0].gamma = batch_gamma;
  parts.push_back({NormalizationAxes::instance(batched), instance_gamma, {}, {}});
  return parts;
}

}  // namespace gesso
