// Initial values: their statistics, bounds and orthogonality.
#include "gesso/layers/init.h"

#include <algorithm>
#include <cmath>

#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

struct Statistics {
  double mean = 0, deviation = 0, kurtosis = 0, largest = 0;
};

Statistics statistics(const Tensor& x) {
  const std::vector<double> values = x.to_vector();
  const double n = static_cast<double>(values.size());
  Statistics s;
  for (double v : values) {
    s.mean += v / n;
    s.largest = std::max(s.largest, std::abs(v));
  }
  double fourth = 0;
  for (double v : values) {
    const double square = (v - s.mean) * (v - s.mean);
    s.deviation += square / n;
    fourth += square * square / n;
  }
  s.kurtosis = fourth / (s.deviation * s.deviation);  // 3 for normal, 1.8 for uniform numbers
  s.deviation = std::sqrt(s.deviation);
  return s;
}

const Shape kWeight = {64, 32, 5, 5};  // fan_in 800, fan_out 1600; 51200 numbers

// Statistics of 51200 numbers: the mean is within 4 deviations / sqrt(51200), the deviation within 2 percent.
void check_spread(const Tensor& x, double deviation, bool uniform) {
  const Statistics s = statistics(x);
  CHECK(std::abs(s.mean) < 0.02 * deviation);
  CHECK(s.deviation == doctest::Approx(deviation).epsilon(0.02));
  CHECK(s.kurtosis == doctest::Approx(uniform ? 1.8 : 3.0).epsilon(0.05));
  if (uniform) {
    CHECK(s.largest <= std::sqrt(3.0) * deviation);
    CHECK(s.largest > 0.999 * std::sqrt(3.0) * deviation);
  }
}

}  // namespace

TEST_CASE("fans are counted as in PyTorch") {
  CHECK(init::fans({8, 3}).in == 3);
  CHECK(init::fans({8, 3}).out == 8);
  CHECK(init::fans(kWeight).in == 800);
  CHECK(init::fans(kWeight).out == 1600);
  CHECK_THROWS_WITH_AS(init::fans({8}), doctest::Contains("(8) has no fan_in"), ArgumentError);
}

TEST_CASE("Kaiming and Xavier numbers have the deviation of their formulas in both dtypes") {
  for (DType dtype : {float32, float64}) {
    Generator rng(5);
    Tensor x = Tensor::empty(kWeight, dtype);
    init::kaiming_uniform_(x, rng);
    check_spread(x, std::sqrt(2.0 / 800), true);
    init::kaiming_uniform_(x, rng, {.a = std::sqrt(5.0)});
    check_spread(x, std::sqrt(1.0 / 3 / 800), true);  // bound 1 / sqrt(fan_in): PyTorch's default of a layer
    init::kaiming_normal_(x, rng);
    check_spread(x, std::sqrt(2.0 / 800), false);
    init::kaiming_normal_(x, rng, {.a = 1, .mode = init::FanMode::out});
    check_spread(x, std::sqrt(1.0 / 1600), false);
    init::kaiming_normal_(x, rng, {.mode = init::FanMode::out});
    check_spread(x, std::sqrt(2.0 / 1600), false);
    init::kaiming_uniform_(x, rng, {.mode = init::FanMode::out});
    check_spread(x, std::sqrt(2.0 / 1600), true);
    init::kaiming_uniform_(x, rng, {.a = 1, .mode = init::FanMode::out});
    check_spread(x, std::sqrt(1.0 / 1600), true);
    init::xavier_uniform_(x, rng);
    check_spread(x, std::sqrt(2.0 / 2400), true);
    init::xavier_normal_(x, rng, 5.0 / 3);
    check_spread(x, 5.0 / 3 * std::sqrt(2.0 / 2400), false);
  }
}

TEST_CASE("normal_ and uniform_ have the mean and bounds asked for") {
  Generator rng(6);
  Tensor x = Tensor::empty({50000});
  init::normal_(x, rng, 3, 0.5);
  CHECK(statistics(x).mean == doctest::Approx(3).epsilon(0.005));
  CHECK(statistics(x).deviation == doctest::Approx(0.5).epsilon(0.02));
  init::uniform_(x, rng, 2, 4);
  CHECK(statistics(x).mean == doctest::Approx(3).epsilon(0.005));
  const auto values = x.to_vector();
  CHECK(*std::min_element(values.begin(), values.end()) >= 2);
  CHECK(*std::max_element(values.begin(), values.end()) < 4);
}

TEST_CASE("orthogonal_ makes the shorter side orthonormal, times gain") {
  for (const Shape& shape :
       {Shape{1, 1}, Shape{1, 7}, Shape{7, 1}, Shape{4, 9}, Shape{9, 4}, Shape{33, 33}, Shape{6, 2, 3, 3}}) {
    CAPTURE(shape.str());
    Generator rng(8);
    Tensor x = Tensor::empty(shape, float64);
    init::orthogonal_(x, rng, 2);
    const Index rows = shape[0], columns = x.numel() / rows;
    const double* v = x.data<double>();
    const Index count = std::min(rows, columns), length = std::max(rows, columns);
    const auto element = [&](Index i, Index k) {
      return rows <= columns ? v[i * columns + k] : v[k * columns + i];
    };
    for (Index i = 0; i < count; ++i) {
      for (Index j = 0; j <= i; ++j) {
        double product = 0;
        for (Index k = 0; k < length; ++k) {
          product += element(i, k) * element(j, k);
        }
        CHECK(product == doctest::Approx(i == j ? 4 : 0).epsilon(1e-13));
      }
    }
  }
  Generator rng(9);
  CHECK_THROWS_WITH_AS(init::orthogonal_(Tensor::zeros({3}), rng), doctest::Contains("is not a matrix"),
                       ArgumentError);
  init::orthogonal_(Tensor::zeros({0, 3}), rng);
}

TEST_CASE("orthogonal_ favours no direction: the first entry of a 2x2 rotation is symmetric") {
  Generator rng(10);
  double mean = 0, determinant = 0;
  for (int i = 0; i < 2000; ++i) {
    Tensor x = Tensor::empty({2, 2}, float64);
    init::orthogonal_(x, rng);
    mean += x.at({0, 0}) / 2000;
    // Nearly parallel vectors are drawn now and then; their second projection keeps them orthogonal.
    CHECK(std::abs(x.at({0, 0}) * x.at({1, 0}) + x.at({0, 1}) * x.at({1, 1})) < 2e-15);
    determinant += (x.at({0, 0}) * x.at({1, 1}) - x.at({0, 1}) * x.at({1, 0})) / 2000;
  }
  CHECK(std::abs(mean) < 0.06);         // deviation of the mean: sqrt(1/2 / 2000) = 0.016
  CHECK(std::abs(determinant) < 0.09);  // rotations and reflections alike: 1 / sqrt(2000) = 0.022
}

TEST_CASE("the same seed gives the same weights in both dtypes") {
  Generator a(3), b(3);
  Tensor x = Tensor::empty({8, 8}, float32), y = Tensor::empty({8, 8}, float64);
  init::kaiming_uniform_(x, a);
  init::kaiming_uniform_(y, b);
  CHECK(largest_difference(x, y) < 1e-7);
}
