// The look inside: what inspect_normalization shows is what the layers compute.
#include "gesso/layers/normalization/inspect.h"

#include <cmath>

#include "gesso/autograd/elementwise.h"
#include "normalization_family.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

TEST_CASE("result and dx are those of forward and backward, bit for bit, for every member") {
  for (DType dtype : {float32, float64}) {
    for (Activation activation : {Activation::none, Activation::relu}) {
      for (const Shape& shape : {Shape{3, 4, 5, 7}, Shape{1, 2, 3, 2}, Shape{2, 1, 80, 71}}) {
        Generator rng(3);
        const Tensor x = Tensor::randn(shape, rng, dtype) * 3.0 + 1.0,
                     upstream = Tensor::randn(shape, rng, dtype);
        for (const auto& [name, layer] : normalization_family(shape, rng, dtype, activation)) {
          CAPTURE(name);
          CAPTURE(shape.str());
          CAPTURE(static_cast<int>(activation));
          CAPTURE(dtype);
          const NormalizationInspection seen = inspect_normalization(*layer, x, upstream);
          Tensor input = x.clone().requires_grad_();
          const Tensor y = (*layer)(input);
          y.backward(upstream);
          CHECK(identical(seen.y, y));
          CHECK(identical(seen.dx, input.grad()));
          CHECK_FALSE(seen.y.requires_grad());
          Tensor sum;
          for (const NormalizationTerms& part : seen.parts) {
            const Tensor dx = (part.upstream_term + part.mean_term) + part.xhat_term;
            sum = sum.defined() ? sum + dx : dx;
          }
          CHECK(identical(sum, input.grad()));
        }
      }
    }
  }
}

TEST_CASE("inspecting changes nothing") {
  BatchNorm2d norm(2);
  Generator rng(5);
  const Tensor x = Tensor::randn({2, 2, 3, 3}, rng);
  inspect_normalization(norm, x, x);
  CHECK(norm.num_batches_tracked.item() == 0);
  CHECK(norm.running_mean.to_vector() == std::vector<double>{0, 0});
  CHECK(norm.running_var.to_vector() == std::vector<double>{1, 1});
}

TEST_CASE("statistics, x-hat and the removed shares by hand") {
  // One plane: deviations -2, -1, 0, 3 from the mean 3, variance 3.5, no eps.
  const Tensor x = Tensor::from({1, 2, 3, 6}, {1, 1, 2, 2}, float64);
  InstanceNorm2d norm(1, {.eps = 0});
  norm.to(float64);
  const double inv_std = 1 / std::sqrt(3.5);
  const auto look = [&](const std::vector<double>& upstream) {
    return inspect_normalization(norm, x, Tensor::from(upstream, x.shape(), float64)).parts.at(0);
  };
  const NormalizationTerms terms = look({1, 0, 0, 0});
  CHECK(terms.mean.shape() == Shape{1, 1});
  CHECK(terms.mean.item() == 3);
  CHECK(terms.variance.item() == 3.5);
  CHECK(terms.inv_std.item() == doctest::Approx(inv_std));
  CHECK(terms.xhat.at({0, 0, 1, 1}) == doctest::Approx(3 * inv_std));
  CHECK(terms.upstream_term.at({0, 0, 0, 0}) == doctest::Approx(inv_std));
  CHECK(terms.mean_term.at({0, 0, 1, 0}) == doctest::Approx(-inv_std / 4));
  // mean(g x-hat) = -2 inv_std / 4
  CHECK(terms.xhat_term.at({0, 0, 1, 1}) == doctest::Approx(-inv_std * (3 * inv_std) * (-2 * inv_std / 4)));
  CHECK(terms.removed_by_mean.item() == doctest::Approx(0.25));
  CHECK(terms.removed_by_xhat.item() == doctest::Approx(4 / 14.0));
  // a constant gradient is removed by the mean term, one along x-hat by the x-hat term, all of it
  CHECK(look({5, 5, 5, 5}).removed_by_mean.item() == doctest::Approx(1));
  CHECK(look({5, 5, 5, 5}).removed_by_xhat.item() == doctest::Approx(0));
  CHECK(look({-2, -1, 0, 3}).removed_by_mean.item() == doctest::Approx(0));
  CHECK(look({-2, -1, 0, 3}).removed_by_xhat.item() == doctest::Approx(1));
  CHECK(look({0, 0, 0, 0}).removed_by_mean.item() == 0);
}

TEST_CASE("each projection removes a share of the gradient's norm, and the rest is left") {
  const Shape shape{2, 4, 6, 5};
  Generator rng(6);
  const Tensor x = Tensor::randn(shape, rng, float64), upstream = Tensor::randn(shape, rng, float64);
  for (auto& [name, layer] : normalization_family(shape, rng, float64)) {
    CAPTURE(name);
    for (const NormalizationTerms& part : inspect_normalization(*layer, x, upstream).parts) {
      const Tensor dx = part.upstream_term + part.mean_term + part.xhat_term;
      // per statistic: |dx|^2 = |upstream_term|^2 (1 - removed_by_mean - removed_by_xhat), up to eps
      std::vector<double> before(part.axes.statistics()), after = before;
      for (Index e = 0; e < x.numel(); ++e) {
        const Index s = part.axes.statistic(e / part.axes.inner);
        before[s] += std::pow(part.upstream_term.data<double>()[e], 2);
        after[s] += std::pow(dx.data<double>()[e], 2);
      }
      for (Index s = 0; s < part.axes.statistics(); ++s) {
        const double removed =
            part.removed_by_mean.data<double>()[s] + part.removed_by_xhat.data<double>()[s];
        CHECK(removed >= 0);
        CHECK(removed <= 1);
        CHECK(after[s] == doctest::Approx(before[s] * (1 - removed)).epsilon(1e-4));
      }
    }
  }
}

TEST_CASE("shapes of the statistics tell what they are over") {
  const Tensor x = Tensor::arange(2 * 4 * 3 * 3).reshape({2, 4, 3, 3});
  const auto shape = [&](const NormalizationLayer& norm) {
    return inspect_normalization(norm, x, x).parts.at(0).variance.shape();
  };
  CHECK(shape(InstanceNorm2d(4)) == Shape{2, 4});
  CHECK(shape(BatchNorm2d(4)) == Shape{4});
  CHECK(shape(GroupNorm(2, 4)) == Shape{2, 2});
  CHECK(shape(LayerNorm({4, 3, 3})) == Shape{2, 1});
  BatchInstanceNorm2d mixed(4);
  CHECK(inspect_normalization(mixed, x, x).parts.size() == 2);
  // an unbatched picture
  const Tensor picture = x.slice(0, 1).reshape({4, 3, 3});
  const NormalizationInspection seen = inspect_normalization(InstanceNorm2d(4), picture, picture);
  CHECK(seen.y.shape() == picture.shape());
  CHECK(seen.parts[0].xhat_term.shape() == picture.shape());
  CHECK(seen.parts[0].mean.shape() == Shape{1, 4});
}

TEST_CASE("running statistics are no function of x: only the first term is left") {
  Generator rng(8);
  const Tensor x = Tensor::randn({2, 3, 4, 4}, rng), upstream = Tensor::randn(x.shape(), rng);
  BatchNorm2d norm(3);
  norm.running_mean.copy_(Tensor::from({1, 2, 3}, {3}));
  norm.eval();
  const NormalizationTerms terms = inspect_normalization(norm, x, upstream).parts.at(0);
  CHECK(terms.mean.to_vector() == std::vector<double>{1, 2, 3});
  CHECK(terms.variance.to_vector() == std::vector<double>{1, 1, 1});
  CHECK(largest_difference(terms.mean_term, Tensor::zeros(x.shape())) == 0);
  CHECK(largest_difference(terms.xhat_term, Tensor::zeros(x.shape())) == 0);
  CHECK(terms.removed_by_xhat.to_vector() == std::vector<double>{0, 0, 0});
}

TEST_CASE("upstream must fit") {
  const Tensor x = Tensor::zeros({1, 2, 3, 3});
  CHECK_THROWS_WITH_AS(inspect_normalization(InstanceNorm2d(2), x, Tensor::zeros({1, 2, 3})),
                       doctest::Contains("upstream float32 (1, 2, 3)"), ArgumentError);
  CHECK_THROWS_AS(inspect_normalization(InstanceNorm2d(2), x, Tensor::zeros({1, 2, 3, 3}, float64)),
                  ArgumentError);
  CHECK_THROWS_WITH_AS(inspect_normalization(InstanceNorm2d(3), x, x), doctest::Contains("has 2 channels"),
                       ArgumentError);
}
