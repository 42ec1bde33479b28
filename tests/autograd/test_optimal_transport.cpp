// Optimal transport on the line: the fast kernel against the plain one, distances that are known, gradients
// against finite differences.
#include "gesso/core/kernels/optimal_transport.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/optimal_transport.h"
#include "gesso/autograd/reduce.h"
#include "gesso/core/parallel.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

std::vector<float> normal_numbers(Index count, std::uint64_t seed) {
  Generator rng(seed);
  std::vector<float> values(static_cast<std::size_t>(count));
  rng.fill_normal(values.data(), count);
  return values;
}

std::vector<float> transported(const std::vector<float>& x, const std::vector<float>& target, bool plain) {
  std::vector<float> difference(x.size(), 99.0f);
  (plain ? transport_plain<float> : transport<float>)(x.data(), static_cast<Index>(x.size()), target.data(),
                                                      static_cast<Index>(target.size()), difference.data());
  return difference;
}

bool same(float a, float b) { return a == b || (std::isnan(a) && std::isnan(b)); }

}  // namespace

TEST_CASE("the fast kernel agrees with the plain one bit for bit, ties, zeros and specials included") {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> tied = normal_numbers(3000, 2);
  for (float& value : tied) {
    value = std::round(3 * value);  // few values, many times each, and zeros of both signs
  }
  const std::vector<std::vector<float>> inputs = {
      {},
      {1.5f},
      {2, 2, 2, 2},
      {0.0f, -0.0f, 0.0f, -0.0f, 1e-40f, -1e-40f},
      {3, -inf, inf, -1, std::numeric_limits<float>::max(), std::numeric_limits<float>::lowest()},
      {1, nan, -nan, -3, inf},
      tied,
      normal_numbers(5, 3),
      normal_numbers(40001, 4)};
  for (const std::vector<float>& x : inputs) {
    for (const Index target_count : {1, 2, 7, 5000}) {
      CAPTURE(x.size());
      CAPTURE(target_count);
      std::vector<float> target = normal_numbers(target_count, 5);
      sort_values(target.data(), target_count);
      CHECK(std::is_sorted(target.begin(), target.end()));
      const std::vector<float> fast = transported(x, target, false), plain = transported(x, target, true);
      CHECK(std::equal(fast.begin(), fast.end(), plain.begin(), same));
    }
  }
}

TEST_CASE("sorting puts the special numbers where it says") {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> values = {nan, 1, 0.0f, -inf, -0.0f, inf, -nan, -2};
  sort_values(values.data(), 8);
  const std::vector<float> expected = {-nan, -inf, -2, 0.0f, 0.0f, 1, inf, nan};
  for (std::size_t i = 0; i < values.size(); ++i) {
    CHECK(same(values[i], expected[i]));
    CHECK(std::signbit(values[i]) == std::signbit(expected[i]));
  }
}

TEST_CASE("distances that are known") {
  // To itself in another order, to itself shifted, and from one number to several.
  const Tensor x = Tensor::from({3, 1, 2, 0, 5, 5, 5, 5}, {1, 2, 2, 2});
  const Tensor other = Tensor::from({0, 1, 2, 3, 5, 5, 5, 5}, {1, 2, 1, 4});
  CHECK(sum(squared_wasserstein(x, other)).item() == 0);
  CHECK(squared_wasserstein(x, other + 2).to_vector() == std::vector<double>{4, 4});
  CHECK(squared_wasserstein(Tensor::from({1}, {1, 1, 1, 1}), Tensor::from({4, 2}, {1, 1, 1, 2})).item() == 4);
  // Quantiles in between: of (0, 1) at the middles of four parts are 0, 0.25, 0.75, 1.
  CHECK(squared_wasserstein(Tensor::from({0, 0, 0, 0}, {1, 1, 2, 2}), Tensor::from({1, 0}, {1, 1, 1, 2}))
            .item() == doctest::Approx((0.0625 + 0.5625 + 1) / 4));
  // Between two normal distributions: (mean - mean)^2 + (sigma - sigma)^2.
  Generator rng(3);
  const Tensor a = Tensor::randn({1, 1, 200, 200}, rng), b = 3 * Tensor::randn({1, 1, 100, 100}, rng) + 1;
  CHECK(squared_wasserstein(a, b).item() == doctest::Approx(1 + 4).epsilon(0.03));
}

TEST_CASE("the gradient of the distance, for any sizes") {
  for (const Shape& shape :
       {Shape{1, 1, 1, 1}, Shape{1, 1, 1, 7}, Shape{2, 3, 4, 3}, Shape{1, 5, 3, 3}, Shape{3, 1, 5, 1}}) {
    for (const bool shared : {false, true}) {
      for (const Index places : {1, 6, 11}) {
        CAPTURE(shape.str());
        CAPTURE(shared);
        CAPTURE(places);
        Generator rng(9);
        const Tensor target = Tensor::randn({shared ? 1 : shape[0], shape[1], 1, places}, rng, float64);
        const Tensor upstream = Tensor::randn({shape[0], shape[1]}, rng, float64);
        check_gradients([&](const auto& in) { return upstream * squared_wasserstein(in[0], target); },
                        {random_input(shape)});
      }
    }
  }
}

TEST_CASE("float32 agrees with float64, for every number of threads alike") {
  Generator rng(4);
  const Tensor x64 = Tensor::randn({2, 5, 37, 41}, rng, float64);
  const Tensor target64 = Tensor::randn({1, 5, 1, 999}, rng, float64) * 2 - 0.5;
  const auto run = [](const Tensor& value, const Tensor& target) {
    Tensor x = value.clone().requires_grad_();
    const Tensor y = squared_wasserstein(x, target);
    sum(y).backward();
    return std::pair{y.detach(), x.grad()};
  };
  const auto [y64, dx64] = run(x64, target64);
  const int threads = num_threads();
  set_num_threads(1);
  const auto [y1, dx1] = run(x64.to(float32), target64.to(float32));
  set_num_threads(3);
  const auto [y3, dx3] = run(x64.to(float32), target64.to(float32));
  set_num_threads(threads);
  CHECK(identical(y1, y3));
  CHECK(identical(dx1, dx3));
  CHECK(largest_difference(y1.to(float64), y64) < 1e-5);
  CHECK(largest_difference(dx1.to(float64), dx64) < 1e-6);
}

TEST_CASE("NaN gives NaN, and impossible arguments are refused") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const DType dtype : {float32, float64}) {
    const Tensor spoiled = Tensor::from({1, nan, 3, 4, 5, 6, 7, 8}, {1, 2, 2, 2}, dtype);
    const Tensor target = Tensor::zeros({1, 2, 1, 3}, dtype);
    const Tensor y = squared_wasserstein(spoiled, target);
    CHECK(std::isnan(y.at({0, 0})));
    CHECK(y.at({0, 1}) > 0);
    CHECK(std::isnan(squared_wasserstein(Tensor::zeros({1, 2, 2, 2}, dtype), spoiled).at({0, 0})));
  }
  const Tensor x = Tensor::zeros({2, 3, 4, 4});
  CHECK_THROWS_WITH_AS(squared_wasserstein(Tensor::zeros({3, 4, 4}), x), doctest::Contains("(N, C, H, W)"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(squared_wasserstein(x, Tensor::zeros({1, 2, 4, 4})),
                       doctest::Contains("as many channels"), ArgumentError);
  CHECK_THROWS_AS(squared_wasserstein(x, Tensor::zeros({3, 3, 4, 4})), ArgumentError);
  CHECK_THROWS_WITH_AS(squared_wasserstein(x, Tensor::zeros({1, 3, 0, 4})), doctest::Contains("0 pixels"),
                       ArgumentError);
  CHECK_THROWS_AS(squared_wasserstein(x, Tensor::zeros({1, 3, 4, 4}, float64)), ArgumentError);
}

TEST_CASE("-0 ranks as 0 does: of equals the first in memory is the lowest") {
  for (DType dtype : {float32, float64}) {
    const Tensor target = Tensor::from({1, 2, 3, 4}, {1, 1, 1, 4}, dtype);
    const auto gradient = [&](const std::vector<double>& values) {
      const Tensor x = Tensor::from(values, {1, 1, 1, 4}, dtype).requires_grad_();
      squared_wasserstein(x, target).backward(Tensor::ones({1, 1}, dtype));
      return x.grad().to_vector();
    };
    CHECK(gradient({0, -0.0, 0, -0.0}) == gradient({0, 0, 0, 0}));
  }
}

TEST_CASE("each sample has the target of its own number, or all have the only one") {
  const Tensor x = Tensor::from({1, 3, 10, 30}, {2, 1, 1, 2}, float64);
  const Tensor targets = Tensor::from({0, 4, 30, 10}, {2, 1, 1, 2}, float64);
  CHECK(squared_wasserstein(x, targets).to_vector() == std::vector<double>{1, 0});
  CHECK(squared_wasserstein(x, targets.slice(0, 1)).to_vector() == std::vector<double>{1, (100.0 + 676) / 2});
  // two channels, so that sample and channel are told apart
  const Tensor two = Tensor::from({1, 1, 2, 2, 3, 3, 4, 4}, {2, 2, 1, 2}, float64);
  CHECK(squared_wasserstein(two, two).to_vector() == std::vector<double>{0, 0, 0, 0});
  CHECK(squared_wasserstein(two, two.slice(1, 2)).to_vector() == std::vector<double>{4, 4, 0, 0});
}
