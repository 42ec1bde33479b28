// What must hold for every input, over random shapes.
#include <cmath>

#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/reduce.h"
#include "gesso/autograd/shape_ops.h"
#include "gesso/layers/conv2d.h"
#include "gesso/layers/normalization/inspect.h"
#include "normalization_family.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

constexpr int kTrials = 12;

// Shapes (N, C, H, W) with planes of at least two elements, drawn from the seed.
Shape random_shape(Generator& rng, Index least_samples = 1) {
  while (true) {
    const Shape shape{least_samples + rng.below(3), 1 + rng.below(5), 1 + rng.below(9), 1 + rng.below(9)};
    if (shape[2] * shape[3] > 1) {
      return shape;
    }
  }
}

// Numbers whose planes differ in mean and scale, none of them near constant.
Tensor random_features(const Shape& shape, Generator& rng) {
  const Shape planes{shape[0], shape[1], 1, 1};
  return Tensor::randn(shape, rng, float64) * Tensor::uniform(planes, rng, 0.5, 3, float64) +
         Tensor::uniform(planes, rng, -2, 2, float64);
}

Tensor gradient(Module& norm, const Tensor& x, const Tensor& upstream) {
  Tensor input = x.clone().requires_grad_();
  norm(input).backward(upstream);
  return input.grad();
}

template <class Body>
void for_each_trial(Body&& body, Index least_samples = 1) {
  for (int trial = 0; trial < kTrials; ++trial) {
    Generator rng(1000 + trial);
    const Shape shape = random_shape(rng, least_samples);
    CAPTURE(shape.str());
    body(shape, rng);
  }
}

// The sum of a b over the elements of each statistic, relative to |a| |b|.
double largest_cosine(const NormalizationAxes& axes, const Tensor& a, const Tensor& b) {
  std::vector<double> ab(axes.statistics()), aa = ab, bb = ab;
  for (Index e = 0; e < axes.numel(); ++e) {
    const Index s = axes.statistic(e / axes.inner);
    const double u = a.data<double>()[e], v = b.data<double>()[e];
    ab[s] += u * v;
    aa[s] += u * u;
    bb[s] += v * v;
  }
  double largest = 0;
  for (Index s = 0; s < axes.statistics(); ++s) {
    largest = std::max(largest, std::abs(ab[s]) / (std::sqrt(aa[s] * bb[s]) + 1e-300));
  }
  return largest;
}

}  // namespace

TEST_CASE("a result has mean beta and deviation gamma, in each statistic without an affine part 0 and 1") {
  for_each_trial([](const Shape& shape, Generator& rng) {
    const Tensor x = random_features(shape, rng), zero = Tensor::zeros(shape, float64);
    for (const auto& [name, layer] : normalization_family(shape, rng, float64)) {
      CAPTURE(name);
      for (const NormalizationTerms& part : inspect_normalization(*layer, x, zero).parts) {
        if (layer->statistics() == Statistics::running) {
          continue;
        }
        std::vector<double> sum(part.axes.statistics()), squares = sum;
        for (Index e = 0; e < x.numel(); ++e) {
          const Index s = part.axes.statistic(e / part.axes.inner);
          sum[s] += part.xhat.data<double>()[e];
          squares[s] += std::pow(part.xhat.data<double>()[e], 2);
        }
        const double n = static_cast<double>(part.axes.elements_per_statistic());
        for (Index s = 0; s < part.axes.statistics(); ++s) {
          const double variance = part.variance.data<double>()[s];
          CHECK((!part.axes.centred || std::abs(sum[s] / n) < 1e-12));
          CHECK(squares[s] / n == doctest::Approx(variance / (variance + layer->eps(float64))).epsilon(1e-9));
        }
      }
    }
    InstanceNorm2d affine(shape[1], {.affine = true});
    affine.to(float64);
    affine.weight.copy_(Tensor::uniform({shape[1]}, rng, 1, 2, float64));
    affine.bias.copy_(Tensor::uniform({shape[1]}, rng, -1, 1, float64));
    const Tensor means = mean(affine(x), {2, 3});
    CHECK(largest_difference(means, Tensor::zeros(means.shape(), float64) + affine.bias) < 1e-12);
  });
}

TEST_CASE("instance norm does not see contrast and brightness of a sample; batch norm does") {
  for_each_trial(
      [](const Shape& shape, Generator& rng) {
        const Tensor x = random_features(shape, rng);
        const Shape one{shape[0], 1, 1, 1};  // another contrast and brightness for each sample
        const Tensor a = Tensor::uniform(one, rng, 0.2, 5, float64),
                     b = Tensor::uniform(one, rng, -3, 3, float64);
        InstanceNorm2d instance(shape[1], {.eps = 1e-12});
        CHECK(largest_difference(instance(a * x + b), instance(x)) < 1e-6);
        BatchNorm2d batch(shape[1], {.eps = 1e-12});
        batch.to(float64);
        CHECK(largest_difference(batch(a * x + b), batch(x)) > 0.05);
        // for the batch as a whole batch norm does not see them either
        CHECK(largest_difference(batch(2.5 * x - 1.0), batch(x)) < 1e-6);
        // with a contrast below 0 instance norm turns its result over
        CHECK(largest_difference(instance(-1.0 * x), -1.0 * instance(x)) < 1e-12);
      },
      2);
}

TEST_CASE("a sample's neighbours move its batch norm, and not its instance, group or layer norm") {
  for_each_trial(
      [](const Shape& shape, Generator& rng) {
        const Tensor x = random_features(shape, rng);
        Tensor changed = x.clone();
        double* first = changed.mutable_data<double>();  // sample 0 becomes another picture
        for (Index e = 0; e < x.numel() / shape[0]; ++e) {
          first[e] = 3 * std::sin(static_cast<double>(e)) + 1;
        }
        for (const auto& [name, layer] : normalization_family(shape, rng, float64)) {
          CAPTURE(name);
          const double moved = largest_difference(slice((*layer)(changed), 0, 1, shape[0]),
                                                  slice((*layer)(x), 0, 1, shape[0]));
          if (layer->statistics() == Statistics::per_batch) {
            CHECK(moved > 1e-3);
          } else {
            CHECK(moved == 0);
          }
        }
      },
      2);
}

TEST_CASE("the gradient is orthogonal to 1, where there is a mean, and up to eps to x-hat") {
  for_each_trial([](const Shape& shape, Generator& rng) {
    const Tensor x = random_features(shape, rng), upstream = Tensor::randn(shape, rng, float64);
    for (const auto& [name, layer] : normalization_family(shape, rng, float64)) {
      CAPTURE(name);
      const NormalizationInspection seen = inspect_normalization(*layer, x, upstream);
      if (seen.parts.size() > 1 || layer->statistics() == Statistics::running ||
          seen.parts[0].axes.elements_per_statistic() < 4) {
        continue;  // with so few elements nothing but rounding is left of the gradient
      }
      const Tensor dx = gradient(*layer, x, upstream);
      const double along_one = largest_cosine(seen.parts[0].axes, dx, Tensor::ones(shape, float64));
      if (seen.parts[0].axes.centred) {
        CHECK(along_one < 1e-9);
      } else {
        CHECK(along_one > 1e-6);
      }
      CHECK(largest_cosine(seen.parts[0].axes, dx, seen.parts[0].xhat) < 1e-3);
    }
  });
}

TEST_CASE("a convolution's bias before a normalization over its channels gets no gradient") {
  for_each_trial([](const Shape& shape, Generator& rng) {
    Conv2d conv(2, shape[1], 3, {.padding = 1}, rng);
    conv.to(float64);
    const Tensor x = Tensor::randn({shape[0], 2, shape[2], shape[3]}, rng, float64);
    const Tensor upstream = Tensor::randn(shape, rng, float64);
    InstanceNorm2d instance(shape[1]);
    BatchNorm2d batch(shape[1]);
    batch.to(float64);
    for (Module* norm : {static_cast<Module*>(&instance), static_cast<Module*>(&batch)}) {
      conv.zero_grad();
      (*norm)(conv(x)).backward(upstream);
      const auto largest = [](const Tensor& t) {
        return largest_difference(t, Tensor::zeros(t.shape(), float64));
      };
      CHECK(largest(conv.bias.grad()) < 1e-9 * (1 + largest(conv.weight.grad())));
    }
    batch.eval();  // running statistics do not take it out
    conv.zero_grad();
    batch(conv(x)).backward(upstream);
    CHECK(largest_difference(conv.bias.grad(), Tensor::zeros({shape[1]}, float64)) > 1e-3);
  });
}

TEST_CASE("on one sample batch norm trains as instance norm does, and parts from it in evaluation") {
  for_each_trial([](const Shape& any, Generator& rng) {
    const Shape shape{1, any[1], any[2], any[3]};
    const Tensor x = random_features(shape, rng), upstream = Tensor::randn(shape, rng, float64);
    InstanceNorm2d instance(shape[1]);
    BatchNorm2d batch(shape[1]);
    batch.to(float64);
    CHECK(identical(instance(x), batch(x)));
    CHECK(identical(gradient(instance, x, upstream), gradient(batch, x, upstream)));
    instance.eval();
    batch.eval();
    CHECK(largest_difference(instance(x), batch(x)) > 1e-3);
  });
}

TEST_CASE("samples and pixels have no order: permuted, the result is permuted") {
  for_each_trial([](const Shape& shape, Generator& rng) {
    const Tensor x = random_features(shape, rng);
    InstanceNorm2d instance(shape[1]);
    BatchNorm2d batch(shape[1], {.track_running_stats = false});
    GroupNorm group(1, shape[1]);
    batch.to(float64);
    group.to(float64);
    for (Module* norm :
         {static_cast<Module*>(&instance), static_cast<Module*>(&batch), static_cast<Module*>(&group)}) {
      CHECK(largest_difference((*norm)(transpose(x, 2, 3)), transpose((*norm)(x), 2, 3)) < 1e-12);
      const Tensor rotated = concat({slice(x, 0, 1, shape[0]), slice(x, 0, 0, 1)}, 0), y = (*norm)(x);
      CHECK(largest_difference((*norm)(rotated), concat({slice(y, 0, 1, shape[0]), slice(y, 0, 0, 1)}, 0)) <
            1e-12);
    }
  });
}

TEST_CASE("backward is linear in the upstream gradient and shrinks as the input grows") {
  for_each_trial([](const Shape& shape, Generator& rng) {
    const Tensor x = random_features(shape, rng);
    const Tensor u = Tensor::randn(shape, rng, float64), v = Tensor::randn(shape, rng, float64);
    for (const auto& [name, layer] : normalization_family(shape, rng, float64)) {
      CAPTURE(name);
      const Tensor together = gradient(*layer, x, 2.0 * u - v);
      CHECK(largest_difference(together, 2.0 * gradient(*layer, x, u) - gradient(*layer, x, v)) < 1e-9);
    }
    // y(a x) = y(x), so dy(a x)/dx = (1 / a) of it: a larger input learns slower (eps = 0)
    InstanceNorm2d instance(shape[1], {.eps = 0});
    CHECK(largest_difference(4.0 * gradient(instance, 4.0 * x, u), gradient(instance, x, u)) < 1e-12);
  });
}
