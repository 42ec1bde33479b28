// Nearest and bilinear upsampling: plain loops that define them, gradients, PyTorch's numbers.
#include <algorithm>
#include <cmath>

#include "gesso/autograd/upsampling.h"
#include "gesso/core/parallel.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

// Sample `i` of the definition of bilinear upsampling along a side: between which pixels, and how far.
struct Sample {
  Sample(Index i, Index size, Index new_size, double step, bool corners) {
    const double at = corners ? (new_size == 1 ? 0 : double(i) * double(size - 1) / double(new_size - 1))
                              : std::max(0.0, (double(i) + 0.5) * step - 0.5);
    below = static_cast<Index>(at);
    above = std::min(below + 1, size - 1);
    weight = at - double(below);
  }
  Index below, above;
  double weight;
};

Tensor defined_bilinear(const Tensor& x, Index h, Index w, double step_h, double step_w, bool corners) {
  const Tensor planes = x.detach().reshape({-1, x.size(-2), x.size(-1)});
  Tensor y = Tensor::zeros({planes.size(0), h, w}, float64);
  for (Index p = 0; p < planes.size(0); ++p) {
    for (Index i = 0; i < h; ++i) {
      for (Index j = 0; j < w; ++j) {
        const Sample r(i, x.size(-2), h, step_h, corners), c(j, x.size(-1), w, step_w, corners);
        const double top =
            (1 - c.weight) * planes.at({p, r.below, c.below}) + c.weight * planes.at({p, r.below, c.above});
        const double bottom =
            (1 - c.weight) * planes.at({p, r.above, c.below}) + c.weight * planes.at({p, r.above, c.above});
        y.set({p, i, j}, (1 - r.weight) * top + r.weight * bottom);
      }
    }
  }
  return y.reshape(x.shape().with(-2, h).with(-1, w));
}

const Shape kShapes[] = {{2, 3, 4, 5}, {1, 1, 1, 1}, {1, 2, 1, 7}, {2, 1, 19, 1}, {3, 2, 33}};

// 0 7 3 10 / 6 2 9 5 / 1 8 4 0
Tensor small_picture() {
  Tensor x = Tensor::empty({1, 1, 3, 4}, float64);
  for (int i = 0; i < 12; ++i) {
    x.mutable_data<double>()[i] = i * 7 % 11;
  }
  return x.requires_grad_();
}

std::vector<double> rounded(const Tensor& x) {
  std::vector<double> values = x.to_vector();
  for (double& value : values) {
    value = std::round(value * 1e12) / 1e12;
  }
  return values;
}

// The gradient of small_picture() under the upstream gradient -3, 2, 0, -2, 3, 1, -1, -3, ...
std::vector<double> golden_gradient(const BilinearOptions& options) {
  Tensor x = small_picture();
  const Tensor y = upsample_bilinear2d(x, options);
  Tensor upstream = Tensor::empty(y.shape(), float64);
  for (Index i = 0; i < y.numel(); ++i) {
    upstream.mutable_data<double>()[i] = static_cast<double>(i * 5 % 7 - 3);
  }
  y.backward(upstream);
  return rounded(x.grad());
}

}  // namespace

TEST_CASE("nearest upsampling repeats pixels in both dtypes and has the right gradient") {
  for (const Shape& shape : kShapes) {
    for (const Index scale : {1, 2, 3, 5}) {
      CAPTURE(shape.str());
      CAPTURE(scale);
      const Tensor x = random_input(shape);
      const Tensor y = upsample_nearest2d(x, scale);
      const Tensor y32 = upsample_nearest2d(x.detach().to(float32), scale);
      const Tensor from = x.detach().reshape({-1, x.size(-2), x.size(-1)});
      Tensor expected = Tensor::empty({from.size(0), scale * x.size(-2), scale * x.size(-1)}, float64);
      for (Index p = 0; p < expected.size(0); ++p) {
        for (Index i = 0; i < expected.size(1); ++i) {
          for (Index j = 0; j < expected.size(2); ++j) {
            expected.set({p, i, j}, from.at({p, i / scale, j / scale}));
          }
        }
      }
      expected = expected.reshape(y.shape());
      CHECK(identical(y, expected));
      CHECK(identical(y32, expected.to(float32)));
      check_gradients([&](const auto& in) { return upsample_nearest2d(in[0], scale); }, {x});
    }
  }
}

TEST_CASE("bilinear upsampling computes its definition and has the right gradient") {
  for (const Shape& shape : kShapes) {
    CAPTURE(shape.str());
    const Tensor x = random_input(shape);
    const double h = double(x.size(-2)), w = double(x.size(-1));
    for (const bool corners : {false, true}) {
      for (const double scale : {1.0, 2.0, 2.7, 5.0}) {
        CAPTURE(scale);
        const BilinearOptions options{.scale = scale, .align_corners = corners};
        const Tensor expected =
            defined_bilinear(x, Index(scale * h), Index(scale * w), 1 / scale, 1 / scale, corners);
        CHECK(largest_difference(upsample_bilinear2d(x, options), expected) < 1e-13);
        CHECK(largest_difference(upsample_bilinear2d(x.detach().to(float32), options).to(float64), expected) <
              1e-5);
        check_gradients([&](const auto& in) { return upsample_bilinear2d(in[0], options); }, {x});
      }
      for (const auto& [new_h, new_w] : {std::pair{1, 1}, std::pair{7, 3}, std::pair{2, 40}}) {
        const BilinearOptions options{.height = new_h, .width = new_w, .align_corners = corners};
        const Tensor expected = defined_bilinear(x, new_h, new_w, h / new_h, w / new_w, corners);
        CHECK(largest_difference(upsample_bilinear2d(x, options), expected) < 1e-13);
        check_gradients([&](const auto& in) { return upsample_bilinear2d(in[0], options); }, {x});
      }
    }
  }
}

TEST_CASE("bilinear upsampling gives PyTorch's numbers") {
  const BilinearOptions by_scale{.scale = 1.7}, by_size{.height = 5, .width = 3},
      corners{.height = 5, .width = 3, .align_corners = true};
  const Tensor x = small_picture();
  const Tensor y = upsample_bilinear2d(x, by_scale);
  CHECK(y.shape() == Shape{1, 1, 5, 6});
  CHECK(rounded(y) == std::vector<double>{0,
                                          2.676470588235,
                                          6.794117647059,
                                          4.764705882353,
                                          4.029411764706,
                                          8.147058823529,
                                          2.294117647059,
                                          3.362456747405,
                                          5.006055363322,
                                          5.203287197232,
                                          5.705017301038,
                                          7.348615916955,
                                          5.823529411765,
                                          4.417820069204,
                                          2.255190311419,
                                          5.878027681661,
                                          8.282871972318,
                                          6.120242214533,
                                          3.205882352941,
                                          4.026816608997,
                                          5.289792387543,
                                          5.829584775087,
                                          5.617647058824,
                                          3.264705882353,
                                          1.0,
                                          3.676470588235,
                                          7.794117647059,
                                          5.764705882353,
                                          3.411764705882,
                                          1.058823529412});
  CHECK(golden_gradient(by_scale) == std::vector<double>{-3.481833910035, 0.301903114187, 1.160034602076,
                                                         2.31401384083, 0.800173010381, -2.88062283737,
                                                         0.235294117647, -0.56660899654, 1.887543252595,
                                                         0.608131487889, -2.571799307958, 1.193771626298});
  CHECK(rounded(upsample_bilinear2d(x, by_size)) ==
        std::vector<double>{1.166666666667, 5.0, 8.833333333333, 2.833333333333, 5.2, 7.566666666667,
                            5.333333333333, 5.5, 5.666666666667, 3.433333333333, 5.8, 2.666666666667,
                            2.166666666667, 6.0, 0.666666666667});
  CHECK(golden_gradient(by_size) == std::vector<double>{-3.5, 1.2, 2.0, 0.5, -1.5, -1.6, -0.7, 3.0,
                                                        0.833333333333, -0.933333333333, -1.3, -1.0});
  CHECK(rounded(upsample_bilinear2d(x, corners)) ==
        std::vector<double>{0, 5, 10, 3, 5.25, 7.5, 6, 5.5, 5, 3.5, 5.75, 2.5, 1, 6, 0});
  CHECK(golden_gradient(corners) ==
        std::vector<double>{-4, 1.75, 1.75, 0.5, -2, -1.25, -1.25, 4, 1, -1, -1, -1.5});
}

TEST_CASE("upsampling does not depend on the number of threads") {
  Generator rng(4);
  const Tensor x = Tensor::randn({3, 5, 61, 130}, rng).requires_grad_();
  const std::function<Tensor()> operations[] = {[&] { return upsample_nearest2d(x); },
                                                [&] { return upsample_nearest2d(x, 3); },
                                                [&] { return upsample_bilinear2d(x, {.scale = 2}); }};
  for (const auto& operation : operations) {
    std::vector<Tensor> first;
    for (const int threads : {1, 2, 3}) {
      set_num_threads(threads);
      const Tensor y = operation();
      Generator upstream(5);
      y.backward(Tensor::randn(y.shape(), upstream));
      first = first.empty() ? std::vector{y.detach(), x.grad()} : first;
      CHECK(identical(y, first[0]));
      CHECK(identical(x.grad(), first[1]));
      Tensor(x).zero_grad();
    }
  }
  set_num_threads(2);
}

TEST_CASE("what upsampling cannot take is named") {
  const Tensor x = Tensor::zeros({1, 3, 4, 5});
  CHECK(upsample_nearest2d(Tensor::zeros({0, 3, 4, 4})).shape() == Shape{0, 3, 8, 8});
  CHECK_THROWS_WITH_AS(upsample_nearest2d(x, 0), "upsample_nearest2d: scale must be from 1 to 2^20, got 0",
                       ArgumentError);
  CHECK_THROWS_AS(upsample_nearest2d(x, Index{1} << 62), ArgumentError);
  CHECK_THROWS_AS(upsample_nearest2d(Tensor::zeros({4}), 2), ArgumentError);
  CHECK_THROWS_WITH_AS(upsample_bilinear2d(x, {}), doctest::Contains("give either scale or height and width"),
                       ArgumentError);
  CHECK_THROWS_AS(upsample_bilinear2d(x, {.scale = 2, .height = 8, .width = 10}), ArgumentError);
  CHECK_THROWS_WITH_AS(upsample_bilinear2d(x, {.height = 8}), doctest::Contains("would be 8x0 pixels"),
                       ArgumentError);
  CHECK_THROWS_AS(upsample_bilinear2d(x, {.scale = -1}), ArgumentError);
  CHECK_THROWS_AS(upsample_bilinear2d(x, {.scale = std::nan("")}), ArgumentError);
  CHECK_THROWS_AS(upsample_bilinear2d(Tensor::zeros({1, 1, 0, 3}), {.scale = 2}), ArgumentError);
}

TEST_CASE("a side that keeps its size keeps its pixels, whatever the scale, as in PyTorch") {
  const Tensor row = Tensor::from({0, 1}, {1, 1, 1, 2}, float64);
  CHECK(upsample_bilinear2d(row, {.scale = 1.1}).to_vector() == std::vector<double>{0, 1});
  const Tensor x = random_input({1, 2, 3, 12}, 4);  // 3 rows stay 3, 12 columns become 13
  const Tensor y = upsample_bilinear2d(x, {.scale = 1.1});
  REQUIRE(y.shape() == Shape{1, 2, 3, 13});
  for (Index i = 0; i < 6; ++i) {  // each row is made of its own row alone
    const Tensor alone =
        upsample_bilinear2d(x.detach().reshape({6, 1, 1, 12})[i].reshape({1, 1, 12}), {.scale = 1.1});
    CHECK(alone.to_vector() == y.detach().reshape({6, 13})[i].to_vector());
  }
  check_gradients([](const auto& in) { return upsample_bilinear2d(in[0], {.scale = 1.1}); }, {x});
}
