// Numbers that stay right: constants, means far from 0, and values near the ends of float32.
#include <cmath>

#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/reduce.h"
#include "gesso/core/normalization/moments.h"
#include "gesso/layers/normalization/batch_norm.h"
#include "gesso/layers/normalization/group_norm.h"
#include "gesso/layers/normalization/instance_norm.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

// Every member, with a gamma and a beta of its own for each channel where it has them.
struct Family {
  InstanceNorm2d instance{3, {.affine = true}};
  BatchNorm2d batch{3, {.track_running_stats = false}};
  GroupNorm group{1, 3};
  LayerNorm layer;

  explicit Family(const Shape& x, DType dtype) : layer({x[1], x[2], x[3]}) {
    Generator rng(7);
    for (Module* norm : all()) {
      norm->to(dtype);
      for (Tensor parameter : norm->parameters()) {
        parameter.copy_(Tensor::randn(parameter.shape(), rng, dtype));
      }
    }
  }
  std::vector<Module*> all() { return {&instance, &batch, &group, &layer}; }
};

// y and dx of `norm` at x (float32), and the same computed in float64 from the same numbers.
struct Comparison {
  double y_error, dx_error;  // largest difference, relative to the largest number
  bool finite;
};

double relative_difference(const Tensor& a, const Tensor& b) {
  double largest = 0;
  for (double v : b.to_vector()) {
    largest = std::max(largest, std::abs(v));
  }
  return largest_difference(a.to(float64), b) / largest;
}

Comparison compare(Module& norm, const Tensor& x) {
  Generator rng(8);
  const Tensor upstream = Tensor::randn(x.shape(), rng);
  const auto run = [&](DType dtype) {
    norm.to(dtype);
    Tensor input = x.to(dtype).clone().requires_grad_();
    const Tensor y = norm(input);
    y.backward(upstream.to(dtype));
    norm.to(float32);
    return std::pair(y.detach(), input.grad());
  };
  const auto [y, dx] = run(float32);
  const auto [y64, dx64] = run(float64);
  bool finite = true;
  for (const Tensor& t : {y, dx}) {
    for (double v : t.to_vector()) {
      finite = finite && std::isfinite(v);
    }
  }
  return {relative_difference(y, y64), relative_difference(dx, dx64), finite};
}

Tensor noise(const Shape& shape, double mean, double deviation) {
  Generator rng(11);
  return (Tensor::randn(shape, rng, float64) * deviation + mean).to(float32);
}

}  // namespace

TEST_CASE("a constant input gives exactly beta") {
  for (DType dtype : {float32, float64}) {
    for (const Shape& shape : {Shape{2, 3, 5, 7}, Shape{1, 3, 70, 71}}) {
      Family family(shape, dtype);
      for (double value : {0.0, 1.0, 0.1, -3.7, 1e6 + 0.3, 1e-30, 1e30}) {
        CAPTURE(value);
        const Tensor x = Tensor::full(shape, value, dtype);
        for (Module* norm : family.all()) {
          CAPTURE(norm->type_name());
          const Tensor bias = norm->parameters()[1];
          const Tensor expected =
              Tensor::zeros(shape, dtype) + bias.reshape(bias.rank() == 1 ? Shape{3, 1, 1} : bias.shape());
          CHECK(identical((*norm)(x), expected));
        }
      }
    }
  }
}

TEST_CASE("float32 keeps its accuracy up to mean / std = 1e6 and beyond") {
  const Shape shape{2, 3, 31, 65};
  Family family(shape, float32);
  for (double ratio : {1.0, 1e2, 1e4, 1e6, 1e7, -1e6}) {
    for (double scale : {1.0, 100.0}) {
      CAPTURE(ratio);
      CAPTURE(scale);
      for (Module* norm : family.all()) {
        CAPTURE(norm->type_name());
        const Comparison c = compare(*norm, noise(shape, ratio * scale, scale));
        CHECK(c.finite);
        CHECK(c.y_error < 5e-7);
        CHECK(c.dx_error < 5e-7);
      }
    }
  }
}

TEST_CASE("inputs near 1e30 and 1e-20 stay finite and accurate in float32") {
  const Shape shape{2, 3, 9, 11};
  Family family(shape, float32);
  for (const auto& [mean, deviation] :
       {std::pair(0.0, 1e30), {1e30, 1e27}, {-5e30, 1e30}, {0.0, 1e-20}, {1e-20, 1e-20}}) {
    CAPTURE(mean);
    CAPTURE(deviation);
    for (Module* norm : family.all()) {
      CAPTURE(norm->type_name());
      const Comparison c = compare(*norm, noise(shape, mean, deviation));
      CHECK(c.finite);
      CHECK(c.y_error < 5e-7);
      CHECK(c.dx_error < 5e-7);
    }
  }
}

TEST_CASE("running statistics of a far mean are as accurate as their dtype") {
  const Tensor x = noise({4, 2, 33, 35}, 1e6, 1);
  BatchNorm2d norm(2, {.momentum = 1});
  norm(x);
  norm.to(float64);
  BatchNorm2d wide(2, {.momentum = 1});
  wide.to(float64);
  wide(x.to(float64));
  CHECK(relative_difference(norm.running_mean, wide.running_mean) < 1e-7);
  CHECK(relative_difference(norm.running_var, wide.running_var) < 1e-7);
}

TEST_CASE("moments of 10 million numbers lose nothing") {
  std::vector<float> x(10'000'000);
  Generator rng(5);
  rng.fill_normal(x.data(), x.size());
  for (float& v : x) {
    v = 1000 + v;
  }
  const Moments expected = plain_moments(x.data(), x.size()), m = moments(x.data(), x.size());
  CHECK(m.mean == doctest::Approx(expected.mean).epsilon(1e-14));
  CHECK(m.m2 == doctest::Approx(expected.m2).epsilon(1e-13));
}

TEST_CASE("what is not finite stays within its statistic") {
  Tensor x = noise({2, 2, 4, 4}, 0, 1);
  const Tensor clean = InstanceNorm2d(2)(x).clone();
  x.set({0, 1, 2, 3}, NAN);
  InstanceNorm2d norm(2);
  const Tensor y = norm(x);
  for (int n = 0; n < 2; ++n) {
    for (int c = 0; c < 2; ++c) {
      if (n == 0 && c == 1) {
        CHECK(std::isnan(y.at({n, c, 0, 0})));
      } else {
        CHECK(y.at({n, c, 3, 1}) == clean.at({n, c, 3, 1}));
      }
    }
  }
  norm.then(Activation::relu);
  CHECK(std::isnan(norm(x).at({0, 1, 0, 0})));  // a relu does not hide it
}

TEST_CASE("numbers at the end of float32 are normalized as PyTorch normalizes them in float64") {
  const Tensor x = Tensor::from({3e38, -3e38, -3e38, -3e38}, {1, 1, 4, 1});
  const Tensor y = InstanceNorm2d(1)(x);
  CHECK(y.at({0, 0, 0, 0}) == doctest::Approx(1.7320508));
  for (int i = 1; i < 4; ++i) {
    CHECK(y.at({0, 0, i, 0}) == doctest::Approx(-0.5773503));
  }
  // the largest there are, of one sign and of both; a plane of ordinary numbers beside them keeps its digits
  const Shape shape{2, 3, 9, 11};
  Family family(shape, float32);
  for (const auto& [mean, deviation] : {std::pair(0.0, 1e38), {3e38, 1e36}, {-2.5e38, 3e37}, {1e35, 1e38}}) {
    CAPTURE(mean);
    Tensor wide = Tensor::empty(shape);
    Generator rng(3);
    for (Index i = 0; i < wide.numel(); ++i) {
      const double u = 2 * rng.uniform() - 1;
      wide.mutable_data<float>()[i] =
          static_cast<float>(i / 99 == 1 ? u : std::clamp(mean + deviation * u, -3.4e38, 3.4e38));
    }
    for (Module* norm : family.all()) {
      CAPTURE(norm->type_name());
      const Comparison c = compare(*norm, wide);
      CHECK(c.finite);
      CHECK(c.y_error < 5e-7);
      CHECK(c.dx_error < 1e-6);
    }
    InstanceNorm2d norm(3);
    const Tensor alone = norm(wide.slice(0, 1)).slice(0, 1);
    double largest = 0;
    for (Index i = 99; i < 198; ++i) {
      const double expected = norm(wide.to(float64)).data<double>()[i];
      largest = std::max(largest, std::abs(alone.data<float>()[i] - expected));
    }
    CHECK(largest < 2e-6);
  }
}

TEST_CASE("float64 numbers whose squares overflow are normalized") {
  const Tensor small = noise({2, 3, 9, 11}, 0.3, 1).to(float64);
  Family family(small.shape(), float64);
  Generator rng(12);
  const Tensor upstream = Tensor::randn(small.shape(), rng, float64);
  for (Module* norm : family.all()) {
    CAPTURE(norm->type_name());
    const auto run = [&](double scale) {
      Tensor x = (small * scale).requires_grad_();
      const Tensor y = (*norm)(x);
      y.backward(upstream);
      return std::pair(y.detach(), x.grad() * scale);  // dx shrinks as x grows
    };
    const double one = 1e40;  // where eps does not matter any more
    const auto [y, dx] = run(one);
    for (double scale : {1e160, 1e300, 4e307}) {
      CAPTURE(scale);
      const auto [y_wide, dx_wide] = run(scale);
      CHECK(relative_difference(y_wide, y) < 1e-14);
      CHECK(relative_difference(dx_wide, dx) < 1e-14);
    }
  }
  const Tensor infinite = Tensor::from({1, INFINITY, 3, 4}, {1, 1, 2, 2}, float64);
  InstanceNorm2d norm(1);
  norm.to(float64);
  for (double v : norm(infinite).to_vector()) {
    CHECK(std::isnan(v));
  }
}

TEST_CASE("x alone in its statistic has the gradient 0, exactly") {
  Tensor x = Tensor::from({1e6, -3, 0.1, 7e20, 1e-30, 5}, {3, 2}).requires_grad_();
  const Tensor upstream = Tensor::from({0.3, 1e3, -7, 11, 0.7, 1e8}, {3, 2});
  const auto is_zero = [&](const Tensor& y) {
    x.zero_grad();
    y.backward(upstream.reshape(y.shape()));
    for (double v : x.grad().to_vector()) {
      CHECK(v == 0);
    }
  };
  is_zero(layer_norm(x.reshape({3, 2, 1}), {1}, Tensor::full({1}, 123), Tensor::zeros({1})));
  is_zero(layer_norm(x.reshape({6, 1}), {1}));
  is_zero(group_norm(x, 2, Tensor::from({123, 0.1}), Tensor::zeros({2})));
}
