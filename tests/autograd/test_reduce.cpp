// Sums, means, variances and argmax: values against plain loops, gradients against finite differences.
#include "gesso/autograd/reduce.h"

#include <cmath>

#include "gesso/autograd/elementwise.h"
#include "gesso/core/kernels/broadcast.h"
#include "gesso/core/parallel.h"
#include "golden_operations.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

struct Case {
  Shape shape;
  std::vector<int> dims;
};

const std::vector<Case> kCases = {{{}, {}},
                                  {{1}, {}},
                                  {{7}, {0}},
                                  {{1, 1}, {-1}},
                                  {{3, 5}, {0}},
                                  {{3, 5}, {1}},
                                  {{3, 5}, {}},
                                  {{3, 5}, {0, 1}},
                                  {{2, 3, 4, 5}, {2, 3}},
                                  {{2, 3, 4, 5}, {0, 2, 3}},
                                  {{2, 3, 4, 5}, {1, -1}},
                                  {{2, 3, 4, 5}, {-2}},
                                  {{2, 1, 3, 1}, {1, 3}},
                                  {{2, 1, 3, 1}, {0, 1}},
                                  {{1, 3, 1, 37}, {0, 3}},
                                  {{2, 3, 2, 3, 2}, {0, 2, 4}}};

// The definition: visits every element and the result that it belongs to.
template <class Visit>
void visit_reduction(const Case& c, Visit visit) {
  std::vector<bool> reduced(c.shape.rank(), c.dims.empty());
  for (int dim : c.dims) {
    reduced[dim < 0 ? dim + c.shape.rank() : dim] = true;
  }
  for (Index i = 0; i < c.shape.numel(); ++i) {
    Index rest = i, into = 0, step = 1;
    for (int d = c.shape.rank() - 1; d >= 0; --d) {
      if (!reduced[d]) {
        into += rest % c.shape[d] * step;
        step *= c.shape[d];
      }
      rest /= c.shape[d];
    }
    visit(i, into);
  }
}

struct Expected {
  std::vector<double> sum, mean, variance;  // variance: biased
  double count = 0;
};

Expected expected_of(const Case& c, const std::vector<double>& x, std::size_t results) {
  Expected e{std::vector<double>(results), std::vector<double>(results), std::vector<double>(results)};
  e.count = static_cast<double>(x.size()) / static_cast<double>(results);
  visit_reduction(c, [&](Index i, Index r) { e.sum[r] += x[i]; });
  for (std::size_t r = 0; r < results; ++r) e.mean[r] = e.sum[r] / e.count;
  visit_reduction(c, [&](Index i, Index r) { e.variance[r] += std::pow(x[i] - e.mean[r], 2) / e.count; });
  return e;
}

void check_close(const Tensor& tensor, const std::vector<double>& expected, double tolerance) {
  const std::vector<double> values = tensor.to_vector();
  REQUIRE(values.size() == expected.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    CHECK(std::abs(values[i] - expected[i]) <= tolerance * (1 + std::abs(expected[i])));
  }
}

}  // namespace

TEST_CASE("sum, mean and variance agree with plain loops in both dtypes and have the right gradients") {
  for (const Case& c : kCases) {
    CAPTURE(c.shape.str());
    CAPTURE(c.dims.size());
    const Tensor x = random_input(c.shape);
    for (DType dtype : {float64, float32}) {
      const Tensor v = x.detach().to(dtype);
      const double tolerance = dtype == float64 ? 1e-12 : 1e-6;
      const Tensor total = sum(v, c.dims);
      const Expected e = expected_of(c, v.to_vector(), total.numel());
      CHECK(total.dtype() == dtype);
      check_close(total, e.sum, tolerance);
      check_close(mean(v, c.dims), e.mean, tolerance);
      check_close(variance(v, c.dims, {.unbiased = false}), e.variance, tolerance);
      if (e.count > 1) {
        std::vector<double> unbiased = e.variance;
        for (double& u : unbiased) u *= e.count / (e.count - 1);
        check_close(variance(v, c.dims), unbiased, tolerance);
      }
    }
    for (bool keepdim : {false, true}) {
      check_gradients([&](const auto& in) { return sum(in[0], c.dims, keepdim); }, {x});
      check_gradients([&](const auto& in) { return mean(in[0], c.dims, keepdim); }, {x});
      check_gradients(
          [&](const auto& in) { return variance(in[0], c.dims, {.unbiased = false, .keepdim = keepdim}); },
          {x});
    }
  }
  check_gradients([](const auto& in) { return variance(in[0], {0, -1}); }, {random_input({3, 4, 5})});
}

TEST_CASE("shapes of results with and without keepdim") {
  const Tensor x = Tensor::ones({2, 3, 4});
  CHECK(sum(x).shape() == Shape{});
  CHECK(sum(x, {}, true).shape() == Shape{1, 1, 1});
  CHECK(mean(x, {1}).shape() == Shape{2, 4});
  CHECK(mean(x, {-1, 0}, true).shape() == Shape{1, 3, 1});
  CHECK(variance(x, {1, 2}, {.keepdim = true}).shape() == Shape{2, 1, 1});
  CHECK(sum(x).item() == 24);
  CHECK(sum(Tensor::zeros({0, 3})).item() == 0);
  CHECK(sum(Tensor::zeros({0, 3}), {0}).to_vector() == std::vector<double>{0, 0, 0});
  CHECK(sum(Tensor::zeros({3, 0}), {0}).shape() == Shape{0});
}

TEST_CASE("long, wide and many sums agree with a plain loop and do not depend on the number of threads") {
  // Shapes that are cut along the middle, along the columns and along the rows, none a multiple of a block.
  const std::vector<Case> cases = {{{1234567}, {}},
                                   {{3, 99991}, {1}},
                                   {{70001, 3}, {0}},
                                   {{2, 37, 5003}, {1}},
                                   {{5003, 41}, {1}},
                                   {{3, 5, 33, 257}, {0, 2, 3}},
                                   {{4, 3, 129, 127}, {2, 3}},
                                   {{2, 100003, 3}, {0, 1}}};
  for (const Case& c : cases) {
    CAPTURE(c.shape.str());
    Generator rng(4);
    const Tensor x = Tensor::randn(c.shape, rng);
    const auto run = [&](int threads) {
      set_num_threads(threads);
      return std::vector<Tensor>{sum(x, c.dims), mean(x, c.dims), variance(x, c.dims)};
    };
    const int before = num_threads();
    const std::vector<Tensor> one = run(1), two = run(2), three = run(3);
    set_num_threads(before);
    const Expected e = expected_of(c, x.to_vector(), one[0].numel());
    check_close(one[0], e.sum, 1e-6);
    check_close(one[1], e.mean, 1e-6);
    std::vector<double> unbiased = e.variance;
    for (double& u : unbiased) u *= e.count / (e.count - 1);
    check_close(one[2], unbiased, 1e-6);
    for (int i = 0; i < 3; ++i) {
      CHECK(identical(one[i], two[i]));
      CHECK(identical(one[i], three[i]));
    }
  }
}

TEST_CASE("float32 keeps its digits: sums are wide and variances centred") {
  // 2^24 ones: a float32 accumulator would stop counting at 2^24, and one cut in lanes would drift.
  CHECK(sum(Tensor::ones({(1 << 24) + 3})).item() == static_cast<float>((1 << 24) + 3));
  // Around 1e6, x^2 in float32 is good to 1e5 only; the variance must still be that of 0, 1, 2, 3.
  const Tensor far = Tensor::from({1e6, 1e6 + 1, 1e6 + 2, 1e6 + 3}, {4});
  CHECK(variance(far).item() == doctest::Approx(5.0 / 3).epsilon(1e-6));
  CHECK(variance(Tensor::full({1000}, 0.1)).item() == 0);
  CHECK(mean(Tensor::full({8}, 3e38)).item() == doctest::Approx(3e38));  // the sum alone overflows float32
}

TEST_CASE("expand_to repeats what sum_to adds up") {
  Generator rng(6);
  for (const auto& [from, to] : std::vector<std::pair<Shape, Shape>>{{{}, {3, 4}},
                                                                     {{1}, {70001}},
                                                                     {{3, 1}, {3, 5}},
                                                                     {{5}, {4, 5}},
                                                                     {{2, 1, 3}, {2, 4, 3}},
                                                                     {{3, 1, 1}, {2, 3, 129, 300}}}) {
    CAPTURE(from.str());
    CAPTURE(to.str());
    const Tensor x = Tensor::randn(from, rng);
    const Tensor expected = Tensor::zeros(to) + x;
    CHECK(identical(expand_to(x, to), expected));
  }
  CHECK_THROWS_AS(expand_to(Tensor::zeros({2}), {3}), ArgumentError);
  CHECK_THROWS_AS(expand_to(Tensor::zeros({2, 3}), {3}), ArgumentError);
}

TEST_CASE("argmax finds the first of the largest along any dimension") {
  const Tensor x = Tensor::from({1, 5, 5, 4, 0, -1}, {2, 3});
  CHECK(argmax(x, 1) == std::vector<Index>{1, 0});
  CHECK(argmax(x, 0) == std::vector<Index>{1, 0, 0});
  CHECK(argmax(x.reshape({1, 6, 1}), -2) == std::vector<Index>{1});
  CHECK(argmax(Tensor::from({1, NAN, 3, NAN}, {4}, float64), 0) == std::vector<Index>{1});
  CHECK_THROWS_WITH_AS(argmax(Tensor::zeros({2, 0}), 1), doctest::Contains("no elements"), ArgumentError);
  CHECK_THROWS_WITH_AS(argmax(x, 2), doctest::Contains("argmax: dimension 2 is out of range"), ArgumentError);
}

TEST_CASE("wrong dimensions and means of nothing are named") {
  const Tensor x = Tensor::zeros({2, 3});
  CHECK_THROWS_WITH_AS(sum(x, {2}), doctest::Contains("sum: dimension 2 is out of range for shape (2, 3)"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(mean(x, {1, -1}), doctest::Contains("mean: dimension -1 is listed twice"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(mean(Tensor::zeros({0, 3}), {0}), doctest::Contains("no elements"), ArgumentError);
  CHECK_THROWS_WITH_AS(variance(Tensor::zeros({1, 3}), {0}), doctest::Contains("set unbiased to false"),
                       ArgumentError);
  CHECK_THROWS_AS(sum(Tensor()), ArgumentError);
}

TEST_CASE("the mean of ones is 1 exactly") {
  for (Index n : {3, 10, 49, 98, 103, 1000}) {
    CAPTURE(n);
    CHECK(mean(Tensor::ones({n}, float64)).item() == 1);
  }
}

TEST_CASE("the gradient of the variance keeps its digits far from 0") {
  Generator rng(13);
  const Tensor far = (Tensor::randn({4, 1000}, rng, float64) + 1e6).to(float32);
  const auto gradient = [&](DType dtype) {
    const Tensor x = far.to(dtype).clone().requires_grad_();
    variance(x, {1}).backward(Tensor::ones({4}, dtype));
    return x.grad().to(float64);
  };
  const Tensor exact = gradient(float64);
  double largest = 0;
  for (double v : exact.to_vector()) {
    largest = std::max(largest, std::abs(v));
  }
  CHECK(largest_difference(gradient(float32), exact) < 1e-6 * largest);
}

TEST_CASE("norm is PyTorch's, and has a gradient of 0 at 0") {
  check_against_torch("norm_all", [](const auto& in) { return norm(in[0]); });
  check_against_torch("norm_some", [](const auto& in) { return norm(in[0], {0, 2}, true); });
  for (const Shape& shape : {Shape{}, {1}, {1, 7}, {3, 5, 2}}) {
    CAPTURE(shape.str());
    check_gradients([](const auto& in) { return norm(in[0]); }, {random_input(shape)});
    if (shape.rank() > 0) {
      check_gradients([](const auto& in) { return norm(in[0], {-1}); }, {random_input(shape)});
    }
  }
  Tensor zero = Tensor::zeros({2, 3}).requires_grad_();
  sum(norm(zero, {1})).backward();
  CHECK(zero.grad().to_vector() == std::vector<double>(6, 0));
  CHECK(norm(Tensor::full({4}, 1e30)).item() == doctest::Approx(2e30));  // its square is beyond float32
  CHECK(norm(Tensor::zeros({0})).item() == 0);
}
