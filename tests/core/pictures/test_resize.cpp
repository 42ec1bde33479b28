// Resizing against the definition of the filter, and what must hold for any good filter.
#include "gesso/core/pictures/resize.h"

#include <cmath>
#include <functional>

#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/core/parallel.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

// The plain definition, one axis at a time: every output is the sum over all inputs of the kernel, widened on
// reduction, divided by the sum of its weights.
std::vector<double> plain_axis(const std::vector<double>& in, Index out_count) {
  const auto in_count = static_cast<Index>(in.size());
  const double scale = static_cast<double>(in_count) / static_cast<double>(out_count);
  const double width = scale > 1 ? scale : 1;
  std::vector<double> out;
  for (Index o = 0; o < out_count; ++o) {
    double sum = 0, weights = 0;
    for (Index i = 0; i < in_count; ++i) {
      const double t =
          std::fabs((static_cast<double>(i) + 0.5 - (static_cast<double>(o) + 0.5) * scale) / width);
      const double w = t < 1   ? 1.5 * t * t * t - 2.5 * t * t + 1
                       : t < 2 ? -0.5 * t * t * t + 2.5 * t * t - 4 * t + 2
                               : 0;
      sum += w * in[i];
      weights += w;
    }
    out.push_back(sum / weights);
  }
  return out;
}

Tensor plain_resize(const Tensor& x, Index height, Index width) {
  const Index N = x.size(0), C = x.size(1), H = x.size(2), W = x.size(3);
  Tensor y = Tensor::zeros({N, C, height, width}, float64);
  for (Index n = 0; n < N; ++n) {
    for (Index c = 0; c < C; ++c) {
      std::vector<std::vector<double>> columns;  // of the picture whose rows are resized
      double low = INFINITY, high = -INFINITY;
      for (Index j = 0; j < W; ++j) {
        std::vector<double> column;
        for (Index i = 0; i < H; ++i) {
          column.push_back(x.at({n, c, i, j}));
          low = std::fmin(low, column.back());
          high = std::fmax(high, column.back());
        }
        columns.push_back(plain_axis(column, height));
      }
      for (Index i = 0; i < height; ++i) {
        std::vector<double> row;
        for (const auto& column : columns) {
          row.push_back(column[i]);
        }
        row = plain_axis(row, width);
        for (Index j = 0; j < width; ++j) {
          y.set({n, c, i, j}, std::fmin(std::fmax(row[j], low), high));
        }
      }
    }
  }
  return y;
}

struct Case {
  Index H, W, height, width;
};

const Case kCases[] = {{1, 1, 1, 1},   {1, 1, 5, 3},    {1, 9, 1, 4},     {1, 4, 1, 9},    {7, 1, 3, 1},
                       {5, 6, 1, 1},   {13, 17, 6, 5},  {13, 17, 30, 41}, {13, 17, 6, 41}, {13, 17, 41, 5},
                       {40, 37, 1, 2}, {33, 20, 33, 7}, {33, 20, 9, 20},  {2, 3, 100, 3}};

}  // namespace

TEST_CASE("resizing computes the filter's definition, in both dtypes") {
  for (const auto& [H, W, height, width] : kCases) {
    CAPTURE(H);
    CAPTURE(W);
    CAPTURE(height);
    CAPTURE(width);
    Generator rng(1);
    const Tensor x = Tensor::uniform({2, 3, H, W}, rng, 0, 1, float64);
    const Tensor expected = plain_resize(x, height, width);
    CHECK(largest_difference(resize_picture(x, height, width), expected) < 1e-13);
    CHECK(largest_difference(resize_picture(x.to(float32), height, width).to(float64), expected) < 2e-6);
  }
}

TEST_CASE("a constant picture stays exactly constant, the range is never left") {
  for (const auto& [H, W, height, width] : kCases) {
    for (const double value : {0.0, 0.1, 1.0, -7.3, 1e30}) {
      const Tensor x = Tensor::full({1, 2, H, W}, value);
      CHECK(identical(resize_picture(x, height, width), Tensor::full({1, 2, height, width}, value)));
    }
  }
  const Tensor edge = Tensor::from({0, 0, 0, 0, 1, 1, 1, 1}, {1, 1, 1, 8});
  for (const double v : resize_picture(edge, 1, 29).to_vector()) {
    CHECK(v >= 0);
    CHECK(v <= 1);
  }
}

TEST_CASE("the same size is the same picture") {
  Generator rng(2);
  const Tensor x = Tensor::randn({2, 3, 9, 14}, rng);
  const Tensor y = resize_picture(x, 9, 14);
  CHECK(identical(y, x));
  CHECK_FALSE(y.shares_storage(x));
}

TEST_CASE("a ramp stays the same ramp away from the borders") {
  Tensor ramp = Tensor::empty({1, 1, 40, 60}, float64);
  for (Index i = 0; i < 40; ++i) {
    for (Index j = 0; j < 60; ++j) {
      ramp.set({0, 0, i, j}, 2.0 * static_cast<double>(i) + 3.0 * static_cast<double>(j));
    }
  }
  for (const auto& [height, width] : {std::pair{20, 30}, {80, 120}, {20, 120}, {13, 19}}) {
    const Tensor y = resize_picture(ramp, height, width);
    for (Index i = height / 5; i < height - height / 5; ++i) {
      for (Index j = width / 5; j < width - width / 5; ++j) {
        // The value at the centre of the new pixel.
        const double row = (static_cast<double>(i) + 0.5) * 40 / height - 0.5;
        const double column = (static_cast<double>(j) + 0.5) * 60 / width - 0.5;
        // When the factor is no whole number, sampling the widened kernel is off by a little.
        CHECK(y.at({0, 0, i, j}) ==
              doctest::Approx(2 * row + 3 * column).epsilon(height == 13 ? 2e-3 : 1e-12));
      }
    }
  }
}

TEST_CASE("a fine checkerboard becomes gray when it shrinks") {
  Tensor board = Tensor::empty({1, 1, 96, 96});
  for (Index i = 0; i < 96; ++i) {
    for (Index j = 0; j < 96; ++j) {
      board.set({0, 0, i, j}, static_cast<double>((i + j) % 2));
    }
  }
  for (const Index size : {48, 40, 31, 12}) {
    const Tensor y = resize_picture(board, size, size);
    for (Index i = 2; i < size - 2; ++i) {
      for (Index j = 2; j < size - 2; ++j) {
        CHECK(std::fabs(y.at({0, 0, i, j}) - 0.5) < 0.02);
      }
    }
  }
}

TEST_CASE("the short side gets the size, the other keeps the proportion") {
  CHECK(resize_short_side(Tensor::zeros({1, 3, 40, 60}), 20).shape() == Shape{1, 3, 20, 30});
  CHECK(resize_short_side(Tensor::zeros({1, 3, 60, 40}), 20).shape() == Shape{1, 3, 30, 20});
  CHECK(resize_short_side(Tensor::zeros({2, 1, 7, 10}), 14).shape() == Shape{2, 1, 14, 20});
  CHECK(resize_short_side(Tensor::zeros({1, 1, 3, 1000}), 1).shape() == Shape{1, 1, 1, 333});
}

TEST_CASE("cropping takes the pixels that it says") {
  const Tensor x = Tensor::arange(2 * 3 * 4 * 5).reshape({2, 3, 4, 5});
  const Tensor y = crop(x, 1, 2, 3, 2);
  REQUIRE(y.shape() == Shape{2, 3, 3, 2});
  for (const auto& at : {std::array<Index, 4>{0, 0, 0, 0}, {1, 2, 2, 1}, {0, 1, 2, 0}}) {
    CHECK(y.at({at[0], at[1], at[2], at[3]}) == x.at({at[0], at[1], at[2] + 1, at[3] + 2}));
  }
  CHECK(identical(crop(x, 0, 0, 4, 5), x));
  CHECK(identical(center_crop(x, 2, 2), crop(x, 1, 1, 2, 2)));
  CHECK(identical(center_crop(x, 3, 5), crop(x, 0, 0, 3, 5)));
}

TEST_CASE("results do not depend on the number of threads") {
  Generator rng(3);
  const Tensor x = Tensor::uniform({1, 3, 211, 157}, rng);
  set_num_threads(1);
  const Tensor smaller = resize_picture(x, 100, 63), larger = resize_picture(x, 300, 301);
  for (const int threads : {2, 3}) {
    set_num_threads(threads);
    CHECK(identical(resize_picture(x, 100, 63), smaller));
    CHECK(identical(resize_picture(x, 300, 301), larger));
  }
}

TEST_CASE("what does not fit is named") {
  const Tensor x = Tensor::zeros({1, 3, 4, 5});
  CHECK_THROWS_WITH_AS(resize_picture(Tensor::zeros({3, 4, 5}), 2, 2), doctest::Contains("shape (3, 4, 5)"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(resize_picture(x, 0, 2), doctest::Contains("0 x 2"), ArgumentError);
  CHECK_THROWS_AS(resize_picture(Tensor::zeros({1, 3, 0, 5}), 2, 2), ArgumentError);
  CHECK_THROWS_AS(resize_picture(Tensor(), 2, 2), ArgumentError);
  CHECK_THROWS_AS(resize_short_side(x, 0), ArgumentError);
  CHECK_THROWS_WITH_AS(center_crop(x, 5, 5), doctest::Contains("do not fit in shape (1, 3, 4, 5)"),
                       ArgumentError);
  CHECK_THROWS_AS(crop(x, 0, 3, 2, 3), ArgumentError);
  CHECK_THROWS_AS(crop(x, -1, 0, 2, 2), ArgumentError);
}

TEST_CASE("a picture whose gradient would be lost is refused, with what to use instead") {
  const Tensor x = Tensor::ones({1, 3, 8, 8}).requires_grad_();
  const std::vector<std::pair<const char*, std::function<Tensor(const Tensor&)>>> functions = {
      {"crop", [](const Tensor& p) { return crop(p, 1, 1, 4, 4); }},
      {"center_crop", [](const Tensor& p) { return center_crop(p, 4, 4); }},
      {"resize_picture", [](const Tensor& p) { return resize_picture(p, 4, 4); }},
      {"resize_short_side", [](const Tensor& p) { return resize_short_side(p, 4); }}};
  for (const auto& [name, function] : functions) {
    CAPTURE(name);
    CHECK_THROWS_WITH_AS(
        function(x),
        doctest::Contains(
            concat_text(name, ": the tensor of shape (1, 3, 8, 8) requires a gradient").c_str()),
        ArgumentError);
    CHECK_THROWS_WITH_AS(function(x * 2), doctest::Contains("use slice()"), ArgumentError);
    CHECK(function(x.detach()).shape() == Shape{1, 3, 4, 4});
    const NoGradGuard no_grad;
    CHECK(function(x).shape() == Shape{1, 3, 4, 4});
  }
}

TEST_CASE("a picture so narrow that it would fill the memory is refused") {
  CHECK_THROWS_WITH_AS(
      resize_short_side(Tensor::zeros({1, 3, 5000, 1}), 256),
      doctest::Contains("a picture of 1 x 5000 with a short side of 256 would have 256 x 1280000"),
      ArgumentError);
  CHECK(resize_short_side(Tensor::zeros({1, 3, 500, 1}), 16).shape() == Shape{1, 3, 8000, 16});
}
