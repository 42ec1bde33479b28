// The kernels under the normalization family against the plain loops that define them.
#include <cmath>
#include <cstring>

#include "gesso/core/normalization/moments.h"
#include "gesso/core/normalization/normalization.h"
#include "gesso/core/normalization/plain.h"
#include "gesso/core/parallel.h"
#include "gesso/core/simd/stream.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

struct Case {
  const char* name;
  NormalizationAxes axes;
};

// Every member over shapes with one element per plane, one channel, one sample, sizes that are no multiple of
// a vector, and planes larger than a piece and than the cache limit.
std::vector<Case> cases() {
  std::vector<Case> all;
  for (const Shape& x :
       {Shape{1, 1, 1, 2}, Shape{2, 3, 1, 1}, Shape{1, 1, 3, 3}, Shape{3, 4, 1, 7}, Shape{2, 6, 5, 13},
        Shape{4, 2}, Shape{2, 4, 77, 61}, Shape{1, 2, 513, 521}, Shape{2, 1, 3, 3, 5}}) {
    all.push_back({"instance", NormalizationAxes::instance(x)});
    all.push_back({"instance, a row per plane", NormalizationAxes::instance(x, AffineRows::per_plane)});
    all.push_back({"batch", NormalizationAxes::batch(x)});
    all.push_back({"group of all", NormalizationAxes::group(x, 1)});
    if (x[1] % 2 == 0) {
      all.push_back({"group 2", NormalizationAxes::group(x, 2)});
    }
    all.push_back({"layer", NormalizationAxes::layer(x, x.rank() - 1)});
    all.push_back({"layer of last", NormalizationAxes::layer(x, 1)});
    all.push_back({"RMS", NormalizationAxes::rms(x, x.rank() - 1)});
    all.push_back({"RMS of last", NormalizationAxes::rms(x, 1)});
  }
  return all;
}

// Random numbers of type T, with the mean of each statistic far from 0 and scales that differ.
template <class T>
struct Data {
  std::vector<T> x, dy, gamma, beta;

  explicit Data(const NormalizationAxes& axes)
      : x(axes.numel()), dy(axes.numel()), gamma(axes.affine_size()), beta(axes.affine_size()) {
    Generator rng(axes.numel());
    rng.fill_normal(x.data(), x.size());
    rng.fill_normal(dy.data(), dy.size());
    rng.fill_normal(gamma.data(), gamma.size());
    rng.fill_normal(beta.data(), beta.size());
    for (Index e = 0; e < axes.numel(); ++e) {
      const Index plane = e / axes.inner;
      x[e] = x[e] * static_cast<T>(1 + plane % 3) + static_cast<T>(plane % 5 - 2);
    }
  }
};

struct Stats {
  std::vector<double> mean, variance, inv_std;

  explicit Stats(const NormalizationAxes& axes)
      : mean(axes.statistics()), variance(axes.statistics()), inv_std(axes.statistics()) {}
  StatisticsOut out() { return {mean.data(), variance.data(), inv_std.data()}; }
  StatisticsIn in() const { return {mean.data(), inv_std.data()}; }
};

template <class T>
double worst(const std::vector<T>& a, const std::vector<double>& b) {
  double largest = 0, scale = 1;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = std::abs(a[i] - b[i]);
    largest = difference <= largest ? largest : difference;
    scale = std::max(scale, std::abs(b[i]));
  }
  return largest / scale;
}

template <class T>
std::vector<double> widened(const std::vector<T>& numbers) {
  return std::vector<double>(numbers.begin(), numbers.end());
}

template <class T>
void check_against_plain(const Case& c, bool affine, Activation activation, bool statistics_of_x) {
  CAPTURE(c.name);
  CAPTURE(c.axes.samples);
  CAPTURE(c.axes.channels);
  CAPTURE(c.axes.inner);
  CAPTURE(affine);
  CAPTURE(static_cast<int>(activation));
  CAPTURE(statistics_of_x);
  const double tolerance = sizeof(T) == 4 ? 2e-6 : 1e-13;
  const NormalizationAxes& axes = c.axes;
  const Data<T> d(axes);
  const T* gamma = affine ? d.gamma.data() : nullptr;
  const T* beta = affine ? d.beta.data() : nullptr;

  const std::vector<double> x = widened(d.x), dy = widened(d.dy);
  const std::vector<double> plain_gamma = affine ? widened(d.gamma) : std::vector<double>(d.gamma.size(), 1);
  const std::vector<double> plain_beta = affine ? widened(d.beta) : std::vector<double>(d.beta.size(), 0);

  Stats fast(axes), plain(axes);
  for (std::size_t s = 0; !statistics_of_x && s < plain.mean.size(); ++s) {
    plain.mean[s] = 0.25 * static_cast<double>(s % 3);
    plain.variance[s] = 0.5 + static_cast<double>(s % 2);
  }
  std::vector<double> plain_y(axes.numel());
  plain_forward(axes, x.data(), statistics_of_x, 1e-5, plain_gamma.data(), plain_beta.data(), activation,
                plain_y.data(), plain.mean.data(), plain.variance.data(), plain.inv_std.data());
  std::vector<T> y(axes.numel());
  if (statistics_of_x) {
    normalize_forward(axes, d.x.data(), 1e-5, gamma, beta, activation, y.data(), fast.out());
    CHECK(worst(fast.mean, plain.mean) < 1e-13);
    CHECK(worst(fast.variance, plain.variance) < 1e-13);
    CHECK(worst(fast.inv_std, plain.inv_std) < 1e-11);  // up to 316: 1 / sqrt(eps)
    Stats alone(axes);
    compute_statistics(axes, d.x.data(), 1e-5, alone.out());
    CHECK(alone.mean == fast.mean);
    CHECK(alone.variance == fast.variance);
    CHECK(alone.inv_std == fast.inv_std);
  } else {
    fast = plain;
    normalize_with(axes, d.x.data(), fast.in(), gamma, beta, activation, y.data());
  }
  CHECK(worst(y, plain_y) < tolerance);

  std::vector<double> plain_dx(axes.numel()), plain_dgamma(axes.affine_size()), plain_dbeta = plain_dgamma;
  plain_backward(axes, x.data(), statistics_of_x, fast.mean.data(), fast.inv_std.data(), plain_gamma.data(),
                 plain_beta.data(), activation, dy.data(), plain_dx.data(), plain_dgamma.data(),
                 plain_dbeta.data());
  std::vector<T> dx(axes.numel()), dgamma(axes.affine_size()), dbeta(axes.affine_size());
  const NormalizeBackwardIn<T> in{d.x.data(), fast.in(),  statistics_of_x, gamma,
                                  beta,       activation, d.dy.data()};
  normalize_backward(axes, in, {dx.data(), dgamma.data(), dbeta.data()});
  CHECK(worst(dx, plain_dx) < 3 * tolerance);
  CHECK(worst(dgamma, plain_dgamma) < tolerance);
  CHECK(worst(dbeta, plain_dbeta) < tolerance);

  // each gradient alone is the same
  std::vector<T> alone(axes.numel());
  normalize_backward(axes, in, {alone.data(), nullptr, nullptr});
  CHECK(alone == dx);
  std::vector<T> row_alone(axes.affine_size());
  normalize_backward(axes, in, {nullptr, row_alone.data(), nullptr});
  CHECK(row_alone == dgamma);
  normalize_backward(axes, in, {nullptr, nullptr, row_alone.data()});
  CHECK(row_alone == dbeta);
}

}  // namespace

TEST_CASE("forward and backward of every member agree with the plain loops") {
  for (const Case& c : cases()) {
    for (bool affine : {false, true}) {
      for (Activation activation : {Activation::none, Activation::relu}) {
        for (bool statistics_of_x : {true, false}) {
          if (c.axes.numel() > 100000 && (!affine || activation == Activation::relu || !statistics_of_x)) {
            continue;  // slow, and the small shapes cover it
          }
          check_against_plain<float>(c, affine, activation, statistics_of_x);
          check_against_plain<double>(c, affine, activation, statistics_of_x);
        }
      }
    }
  }
}

TEST_CASE("a result too large for the caches is written past them, from any alignment") {
  const Shape x{1, 7, 777, 777};
  REQUIRE(x.numel() * 4 >= kStreamBytes);
  check_against_plain<float>({"instance", NormalizationAxes::instance(x)}, true, Activation::relu, true);
  check_against_plain<float>({"layer", NormalizationAxes::layer(x, 1)}, true, Activation::none, true);
  check_against_plain<double>({"running", NormalizationAxes::batch({3, 1, 1001, 701})}, true,
                              Activation::relu, false);
}

TEST_CASE("results are the same bit for bit on 1, 2 and 3 threads") {
  const int before = num_threads();
  for (const Case& c : cases()) {
    CAPTURE(c.name);
    const Data<float> d(c.axes);
    std::vector<std::vector<float>> results;
    for (int threads : {1, 2, 3}) {
      set_num_threads(threads);
      Stats s(c.axes);
      std::vector<float> y(c.axes.numel()), dx = y, dgamma(c.axes.affine_size()), dbeta = dgamma;
      normalize_forward(c.axes, d.x.data(), 1e-5, d.gamma.data(), d.beta.data(), Activation::none, y.data(),
                        s.out());
      normalize_backward<float>(
          c.axes, {d.x.data(), s.in(), true, d.gamma.data(), d.beta.data(), Activation::none, d.dy.data()},
          {dx.data(), dgamma.data(), dbeta.data()});
      for (const auto& part : {dx, dgamma, dbeta}) {
        y.insert(y.end(), part.begin(), part.end());
      }
      results.push_back(y);
    }
    CHECK(results[1] == results[0]);
    CHECK(results[2] == results[0]);
  }
  set_num_threads(before);
}

TEST_CASE("moments agree with the plain loop and merge in any cut") {
  Generator rng(3);
  for (Index n : {1, 2, 3, 4, 5, 15, 16, 17, 31, 4095, 4096, 4097, 10000}) {
    CAPTURE(n);
    std::vector<float> x(n);
    rng.fill_normal(x.data(), n);
    for (float& v : x) {
      v = 3 + 2 * v;
    }
    const Moments expected = plain_moments(x.data(), n), m = moments(x.data(), n);
    CHECK(m.count == n);
    CHECK(m.mean == doctest::Approx(expected.mean).epsilon(1e-14));
    CHECK(m.m2 == doctest::Approx(expected.m2).epsilon(1e-13));
    const Index cut = n / 3;
    Moments merged = moments(x.data(), cut);
    merged.merge(moments(x.data() + cut, n - cut));
    merged.merge(Moments{});
    CHECK(merged.count == n);
    CHECK(merged.mean == doctest::Approx(expected.mean).epsilon(1e-14));
    CHECK(merged.m2 == doctest::Approx(expected.m2).epsilon(1e-13));
  }
  const Moments one = moments(std::vector<double>{7}.data(), 1);
  CHECK(one.variance() == 0);
  CHECK(std::isnan(one.unbiased_variance()));
  const std::vector<double> two = {1, 4};
  CHECK(moments(two.data(), 2).variance() == 2.25);
  CHECK(moments(two.data(), 2).unbiased_variance() == 4.5);
  CHECK(moments<float>(nullptr, 0).count == 0);
}

TEST_CASE("moments keep their digits however far out the first element of a piece is") {
  for (double outlier : {-10.0, 64.0, 1e4, -1e8, 1e20}) {
    CAPTURE(outlier);
    Generator rng(7);
    std::vector<double> wide(4096);
    rng.fill_normal(wide.data(), std::ssize(wide));
    wide[0] = outlier;
    const std::vector<float> x(wide.begin(), wide.end());
    constexpr double left = 1e-9;  // 12 of float64's 53 bits may go, and some in the sums; float32 has 24
    CHECK(moments(x.data(), 4096).m2 == doctest::Approx(plain_moments(x.data(), 4096).m2).epsilon(left));
    const Moments expected = plain_moments(wide.data(), 4096), m = moments(wide.data(), 4096);
    CHECK(m.m2 == doctest::Approx(expected.m2).epsilon(left));
    CHECK(m.mean == doctest::Approx(expected.mean).epsilon(left));
  }
}

TEST_CASE("a constant has exactly itself as mean and no variance") {
  for (double value : {0.1, -3.7, 1e6 + 0.3, 1e30, 1e-30}) {
    for (Index n : {1, 7, 4096, 5001}) {
      const std::vector<float> x(n, static_cast<float>(value));
      const std::vector<double> wide(n, value);
      CHECK(moments(x.data(), n).mean == static_cast<double>(static_cast<float>(value)));
      CHECK(moments(x.data(), n).m2 == 0);
      CHECK(moments(wide.data(), n).mean == value);
      CHECK(moments(wide.data(), n).m2 == 0);
    }
  }
}
