#include "gesso/layers/normalization/inspect.h"

#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/core/kernels/elementwise.h"
#include "gesso/core/normalization/normalization.h"

namespace gesso {
namespace {

template <class T>
const T* data_or_null(const Tensor& tensor) {
  return tensor.defined() ? tensor.data<T>() : nullptr;
}

// The statistics that the part normalizes with.
void fill_statistics(const NormalizationPart& part, const Tensor& x, double eps, NormalizationTerms& terms) {
  const NormalizationAxes& axes = part.axes;
  const Shape shape = axes.share_samples ? Shape{axes.groups} : Shape{axes.samples, axes.groups};
  for (Tensor* tensor :
       {&terms.mean, &terms.variance, &terms.inv_std, &terms.removed_by_mean, &terms.removed_by_xhat}) {
    *tensor = Tensor::zeros(shape, float64);
  }
  double* inv_std = terms.inv_std.mutable_data<double>();
  if (part.running.mean.defined()) {
    terms.mean.copy_(part.running.mean);
    terms.variance.copy_(part.running.variance);
    inverse_std(terms.variance.data<double>(), axes.statistics(), eps, inv_std);
  } else {
    with_dtype(x.dtype(), [&]<class T>() {
      compute_statistics(axes, x.data<T>(), eps,
                         {terms.mean.mutable_data<double>(), terms.variance.mutable_data<double>(), inv_std});
    });
  }
}

// How much of |g|^2 each projection removed, from the sums over each statistic.
template <class T>
void fill_removed(NormalizationTerms& terms) {
  const NormalizationAxes& axes = terms.axes;
  const T* upstream = terms.upstream_term.data<T>();
  const T* xhat = terms.xhat.data<T>();
  std::vector<double> g(axes.statistics()), gg = g, gh = g, hh = g;
  for (Index e = 0; e < axes.numel(); ++e) {
    const Index s = axes.statistic(e / axes.inner);
    const double u = upstream[e], h = xhat[e];
    g[s] += u;
    gg[s] += u * u;
    gh[s] += u * h;
    hh[s] += h * h;
  }
  double* by_mean = terms.removed_by_mean.mutable_data<double>();
  double* by_xhat = terms.removed_by_xhat.mutable_data<double>();
  const double count = static_cast<double>(axes.elements_per_statistic());
  for (Index s = 0; s < axes.statistics(); ++s) {
    by_mean[s] = axes.centred && gg[s] > 0 ? g[s] * g[s] / (count * gg[s]) : 0;
    by_xhat[s] = gg[s] > 0 && hh[s] > 0 ? gh[s] * gh[s] / (hh[s] * gg[s]) : 0;
  }
}

// The part's share of the result.
Tensor part_output(const NormalizationPart& part, const NormalizationTerms& terms, const Tensor& x) {
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  with_dtype(x.dtype(), [&]<class T>() {
    normalize_with(part.axes, x.data<T>(), {terms.mean.data<double>(), terms.inv_std.data<double>()},
                   data_or_null<T>(part.gamma), data_or_null<T>(part.beta), Activation::none,
                   y.mutable_data<T>());
  });
  return y;
}

void fill_gradient_terms(const NormalizationPart& part, const Tensor& x, const Tensor& dy,
                         NormalizationTerms& terms) {
  for (Tensor* tensor : {&terms.xhat, &terms.upstream_term, &terms.mean_term, &terms.xhat_term}) {
    *tensor = Tensor::empty(x.shape(), x.dtype());
  }
  with_dtype(x.dtype(), [&]<class T>() {
    const bool of_x = !part.running.mean.defined();
    const NormalizeBackwardIn<T> in{x.data<T>(),
                                    {terms.mean.data<double>(), terms.inv_std.data<double>()},
                                    of_x,
                                    data_or_null<T>(part.gamma),
                                    data_or_null<T>(part.beta),
                                    Activation::none,
                                    dy.data<T>()};
    normalize_backward_terms<T>(part.axes, in,
                                {terms.xhat.mutable_data<T>(), terms.upstream_term.mutable_data<T>(),
                                 terms.mean_term.mutable_data<T>(), terms.xhat_term.mutable_data<T>()});
    if (of_x) {
      fill_removed<T>(terms);
    }
  });
}

Tensor sum_of(const Tensor& sum, const Tensor& next) { return sum.defined() ? sum + next : next; }

// dy where y > 0, else 0.
Tensor through_relu(const Tensor& dy, const Tensor& y) {
  Tensor masked = Tensor::empty(y.shape(), y.dtype());
  with_dtype(y.dtype(), [&]<class T>() {
    zip_elements(dy.data<T>(), y.data<T>(), masked.mutable_data<T>(), y.numel(),
                 [](T g, T v) { return v > 0 ? g : T{0}; });
  });
  return masked;
}

}  // namespace

NormalizationInspection inspect_normalization(const NormalizationLayer& layer, const Tensor& x,
                                              const Tensor& upstream) {
  require(x.defined() && upstream.defined() && x.shape() == upstream.shape() && x.dtype() == upstream.dtype(),
          "inspect_normalization: x is ", x.describe(), " and upstream ", upstream.describe(),
          "; the gradient of the layer's result has x's shape and dtype");
  const NoGradGuard no_grad;
  const Shape batched = layer.batched_shape(x.shape());
  const std::vector<NormalizationPart> parts = layer.parts(batched);
  const Tensor input = x.alias(batched);

  NormalizationInspection result;
  for (const NormalizationPart& part : parts) {
    NormalizationTerms terms;
    terms.axes = part.axes;
    fill_statistics(part, input, layer.eps(x.dtype()), terms);
    result.y = sum_of(result.y, part_output(part, terms, input));
    result.parts.push_back(terms);
  }
  Tensor dy = upstream.alias(batched);
  if (layer.activation() == Activation::relu) {
    dy = through_relu(dy, result.y);
    result.y = relu(result.y);
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    NormalizationTerms& terms = result.parts[i];
    fill_gradient_terms(parts[i], input, dy, terms);
    result.dx = sum_of(result.dx, (terms.upstream_term + terms.mean_term) + terms.xhat_term);
    for (Tensor* tensor : {&terms.xhat, &terms.upstream_term, &terms.mean_term, &terms.xhat_term}) {
      *tensor = tensor->alias(x.shape());
    }
  }
  result.y = result.y.alias(x.shape());
  result.dx = result.dx.alias(x.shape());
  return result;
}

}  // namespace gesso
