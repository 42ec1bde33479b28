#include "gesso/layers/normalization/layer.h"

#include "gesso/core/normalization/moments.h"
#include "gesso/core/parallel.h"

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

Tensor NormalizationLayer::forward(const Tensor& x) {
  require(x.defined(), type_name(), ": x is undefined");
  const Shape batched = batched_shape(x.shape());
  const auto run = [&](const Tensor& input) { return keep_ ? normalize_smoothly(input) : normalize(input); };
  return batched == x.shape() ? run(x) : run(x.reshape(batched)).reshape(x.shape());
}

void NormalizationLayer::smooth_statistics(std::optional<double> keep) {
  require(!keep || (*keep >= 0 && *keep < 1), type_name(), ": smooth_statistics keeps ", keep.value_or(0),
          " of the average; it must be 0 or more and below 1");
  keep_ = keep;
  average_ = {};
}

Tensor NormalizationLayer::normalize_smoothly(const Tensor& x) {
  const NormalizationPart part = parts(x.shape()).front();
  const NormalizationAxes& axes = part.axes;
  require(axes.samples == 1 && axes.groups == axes.channels && !part.running.mean.defined(), type_name(),
          ": statistics are smoothed over the frames of a film, one picture at a time, in instance norms; x "
          "has shape ",
          x.shape());
  Tensor mean = Tensor::empty({axes.channels}), variance = Tensor::empty({axes.channels});
  with_dtype(x.dtype(), [&]<class T>() {
    float* to_mean = mean.mutable_data<float>();
    float* to_variance = variance.mutable_data<float>();
    parallel_for(axes.channels, 1, [&](Index c, Index) {
      const Moments own = moments(x.data<T>() + c * axes.inner, axes.inner);
      to_mean[c] = static_cast<float>(own.mean);
      to_variance[c] = static_cast<float>(own.variance());
    });
  });
  if (!average_.mean.defined()) {
    average_ = {mean, variance};
  } else {
    const auto move = [&](Tensor& average, const Tensor& own) {
      average.mul_(*keep_);
      average.add_(own, 1 - *keep_);
    };
    move(average_.mean, mean);
    move(average_.variance, variance);
  }
  const RunningStatistics average{average_.mean.to(x.dtype()), average_.variance.to(x.dtype())};
  return instance_norm(x, part.gamma, part.beta, average, false, options());
}

Shape NormalizationLayer::with_batch(const Shape& sample) {
  std::vector<Index> sizes = {1};
  sizes.insert(sizes.end(), sample.begin(), sample.end());
  return Shape(sizes);
}

void smooth_statistics(Module& network, std::optional<double> keep) {
  for (const auto& [name, module] : network.named_modules()) {
    auto* norm = dynamic_cast<NormalizationLayer*>(module);
    if (norm != nullptr && norm->statistics() == Statistics::per_instance) {
      norm->smooth_statistics(keep);
    }
  }
}

std::string NormalizationLayer::eps_text() const { return concat_text(", eps=", eps_); }

std::string NormalizationLayer::statistics_text() const {
  return concat_text(relu_ ? ", relu=true" : "", ", statistics=", statistics());
}

}  // namespace gesso
