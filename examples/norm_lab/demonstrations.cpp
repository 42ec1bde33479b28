#include "demonstrations.h"

#include <algorithm>
#include <cmath>

#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/autograd/reduce.h"
#include "gesso/autograd/shape_ops.h"
#include "gesso/core/pictures/resize.h"
#include "gesso/layers/conv2d.h"
#include "gesso/layers/normalization/batch_norm.h"
#include "gesso/layers/normalization/inspect.h"
#include "gesso/layers/normalization/instance_norm.h"

namespace norm_lab {

using namespace gesso;

namespace {

double largest(const Tensor& x) {
  double result = 0;
  for (const double value : x.to_vector()) {
    result = std::max(result, std::abs(value));
  }
  return result;
}

double largest_change(const Tensor& before, const Tensor& after) { return largest(after - before); }

Tensor instance(const Tensor& x) { return instance_norm(x); }
Tensor batch(const Tensor& x) { return batch_norm(x, {}, {}, {}, true); }

Tensor sample(const Tensor& x, Index n) { return x.slice(n, n + 1); }
Tensor rest(const Tensor& x) { return x.slice(1, x.size(0)); }

}  // namespace

Invariance invariance(const Tensor& x, double a, double b) {
  const Tensor x0 = sample(x, 0), y0 = instance(x0);
  const Tensor changed = concat({a * x0 + b, rest(x)}, 0);

  const double eps = NormalizeOptions{}.eps;
  const Tensor v = variance(x0, {2, 3}, {.unbiased = false, .keepdim = true});
  const Tensor factor = sqrt((v + eps) / (v + eps / (a * a)));

  return {a, b, largest_change(y0, sample(instance(changed), 0)), largest(y0 * (factor - 1.0)),
          largest_change(sample(batch(x), 0), sample(batch(changed), 0))};
}

Neighbours change_a_neighbour(const Tensor& x) {
  const Index last = x.size(0) - 1;
  const Tensor changed = concat({x.slice(0, last), 3.0 * sample(x, last) + 2.0}, 0);
  return {largest_change(sample(instance(x), 0), sample(instance(changed), 0)),
          largest_change(sample(batch(x), 0), sample(batch(changed), 0))};
}

std::vector<Orthogonality> orthogonality(const Tensor& x, const Tensor& upstream) {
  InstanceNorm2d norm(x.size(1));
  const NormalizationInspection seen = inspect_normalization(norm, x, upstream);
  const NormalizationTerms& terms = seen.parts.at(0);
  std::vector<Orthogonality> planes;
  for (Index s = 0; s < terms.axes.statistics(); ++s) {
    Orthogonality plane{};
    for (Index i = s * terms.axes.inner; i < (s + 1) * terms.axes.inner; ++i) {
      const double dx = seen.dx.data<double>()[i], xhat = terms.xhat.data<double>()[i],
                   g = terms.upstream_term.data<double>()[i];
      plane.size += dx * dx;
      plane.along_one += dx;
      plane.along_xhat += dx * xhat;
      plane.upstream_along_one += g;
      plane.upstream_along_xhat += g * xhat;
    }
    plane.size = std::sqrt(plane.size);
    const double variance = terms.variance.data<double>()[s];
    plane.from_eps = plane.upstream_along_xhat * norm.eps() / (variance + norm.eps());
    planes.push_back(plane);
  }
  return planes;
}

std::vector<BiasGradient> bias_gradients(const Tensor& x) {
  const Index channels = 4;
  InstanceNorm2d instance_norm(channels);
  BatchNorm2d train(channels, {.affine = false}), eval(channels, {.affine = false});
  eval.eval();
  std::vector<BiasGradient> rows;
  const std::vector<std::pair<std::string, Module*>> norms = {
      {"no norm", nullptr}, {"instance", &instance_norm}, {"batch, train", &train}, {"batch, eval", &eval}};
  for (const auto& [name, norm] : norms) {
    Generator rng(11);
    Conv2d conv(x.size(1), channels, 3, {.padding = 1}, rng);
    conv.to(float64);
    if (norm) {
      norm->to(float64);
    }
    const Tensor features = conv(x);
    const Tensor y = norm ? (*norm)(features) : features;
    const Tensor target = Tensor::randn(y.shape(), rng, float64);
    mean(square(y - target)).backward();
    rows.push_back({name, largest(conv.weight.grad()), largest(conv.bias.grad())});
  }
  return rows;
}

BatchOfOne batch_of_one(const Tensor& x) {
  BatchOfOne result;
  result.to_instance = largest_change(instance(sample(x, 0)), batch(sample(x, 0)));
  // Thousands of batches follow: a small copy will do.
  const Tensor x0 =
      resize_picture(sample(x, 0), std::min<Index>(8, x.size(2)), std::min<Index>(8, x.size(3)));
  const double center = mean(x0).item(), deviation = std::sqrt(variance(x0).item());
  for (int size = 1; size <= 32; size *= 2) {
    Generator rng(5);
    const int batches = 200;
    Tensor sum = Tensor::zeros(x0.shape(), float64), squares = sum.clone();
    for (int k = 0; k < batches; ++k) {
      std::vector<Tensor> samples = {x0};
      for (int i = 1; i < size; ++i) {  // strangers, each with a brightness and contrast of its own
        const double brightness = center + deviation * rng.normal(),
                     contrast = deviation * rng.uniform(0.5, 2);
        samples.push_back(contrast * Tensor::randn(x0.shape(), rng, float64) + brightness);
      }
      const Tensor y0 = sample(batch(concat(samples, 0)), 0);
      sum.add_(y0);
      squares.add_(y0 * y0);
    }
    const Tensor average = sum / batches;
    // Rounding can leave the variance of equal numbers a little below 0.
    result.companies.push_back(
        {size, std::sqrt(std::max(0.0, mean(squares / batches - average * average).item()))});
  }
  BatchNorm2d norm(x.size(1));
  try {
    norm(Tensor::zeros({1, x.size(1), 1, 1}));
  } catch (const ArgumentError& error) {
    result.refusal = error.what();
  }
  return result;
}

TrainAgainstEvalAll train_against_eval(const Tensor& x) {
  const NoGradGuard no_grad;
  const Index channels = x.size(1);
  BatchNorm2d batch_layer(channels);
  InstanceNorm2d instance_layer(channels);
  batch_layer.to(float64);
  instance_layer.to(float64);
  const auto difference_in_eval = [&](NormalizationLayer& layer, const Tensor& in_training) {
    layer.eval();
    const Tensor in_evaluation = layer(x);
    layer.train();
    return largest_change(in_training, in_evaluation);
  };
  TrainAgainstEvalAll result;
  const Tensor channel0 = slice(x, 1, 0, 1);
  result.mean = mean(channel0).item();
  result.unbiased_variance = variance(channel0).item();
  int seen = 0;
  for (const int steps : {0, 1, 3, 10, 30, 100}) {
    for (; seen < steps; ++seen) {
      batch_layer(x);
    }
    result.rows.push_back({steps, batch_layer.running_mean.at({0}), batch_layer.running_var.at({0}),
                           difference_in_eval(batch_layer, batch(x)),
                           difference_in_eval(instance_layer, instance(x))});
  }
  return result;
}

}  // namespace norm_lab
