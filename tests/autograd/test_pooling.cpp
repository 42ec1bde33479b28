// Max and average pooling: plain loops that define them, gradients, PyTorch's numbers and its NaN.
#include <cmath>
#include <limits>

#include "gesso/autograd/pooling.h"
#include "gesso/core/kernels/pooling.h"
#include "gesso/core/parallel.h"
#include "golden_operations.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

struct Case {
  Shape shape;
  Pool2dOptions options;
};

const Case kCases[] = {
    {{2, 3, 6, 8}, {}},
    {{1, 2, 7, 5}, {}},  // an odd row and column are left out
    {{1, 1, 2, 35}, {}},
    {{3, 5, 7}, {}},
    {{1, 1, 1, 1}, {.kernel = 1}},
    {{1, 1, 1, 7}, {.kernel = 3, .stride = 2, .padding = 1}},
    {{2, 1, 9, 7}, {.kernel = 3}},
    {{1, 3, 7, 8}, {.kernel = 3, .stride = 2, .padding = 1}},
    {{2, 2, 5, 6}, {.kernel = 3, .stride = 1}},
    {{1, 2, 5, 9}, {.kernel = 2, .stride = 3}},
    {{1, 2, 6, 5}, {.kernel = 2, .stride = 2, .padding = 1}},
    {{1, 1, 6, 7}, {.kernel = 5, .stride = 2, .padding = 2}},
    {{1, 2, 6, 8}, {.kernel = 3, .stride = 2, .ceil_mode = true}},
    {{1, 2, 7, 9}, {.kernel = 3, .stride = 2, .ceil_mode = true}},  // no rest
    {{2, 1, 2, 5}, {.kernel = 3, .stride = 2, .ceil_mode = true}},  // one window, not whole
    {{1, 1, 5, 8}, {.kernel = 2, .stride = 2, .ceil_mode = true}},
    {{1, 2, 8, 6}, {.kernel = 3, .stride = 4, .padding = 1, .ceil_mode = true}},
    {{2, 1, 7, 9}, {.kernel = {2, 3}}},
    {{1, 2, 8, 9}, {.kernel = {3, 1}, .stride = {1, 2}}},
    {{1, 1, 1, 9}, {.kernel = {1, 4}, .stride = {1, 3}, .padding = {0, 2}}},
    {{1, 2, 6, 5}, {.kernel = {2, 3}, .stride = {3, 2}, .padding = {1, 0}, .ceil_mode = true}},
    {{1, 1, 3, 4},
     {.kernel = 2, .stride = 3, .padding = 1, .ceil_mode = true}},  // one would begin in the padding
};

// PyTorch's rule for the number of windows.
Index windows_of(Index size, Index kernel, Index stride, Index padding, bool ceil_mode) {
  const Index room = size + 2 * padding - kernel;
  Index count = (ceil_mode ? divide_up(room, stride) : room / stride) + 1;
  count -= ceil_mode && (count - 1) * stride >= size + padding ? 1 : 0;
  return count;
}

// The definitions, one window after the other.
Tensor defined_pool(const Tensor& x, const Pool2dOptions& o, bool max) {
  const Tensor planes = x.detach().reshape({-1, x.size(-2), x.size(-1)});
  const auto& [kernel, stride, padding, ceil_mode] = o;
  const Index rows = windows_of(x.size(-2), kernel.height, stride.height, padding.height, ceil_mode);
  const Index columns = windows_of(x.size(-1), kernel.width, stride.width, padding.width, ceil_mode);
  Tensor y = Tensor::zeros({planes.size(0), rows, columns}, float64);
  for (Index p = 0; p < planes.size(0); ++p) {
    for (Index i = 0; i < rows; ++i) {
      for (Index j = 0; j < columns; ++j) {
        double sum = 0, count = 0, largest = -std::numeric_limits<double>::infinity();
        const Index top = i * stride.height - padding.height, left = j * stride.width - padding.width;
        for (Index a = top; a < top + kernel.height; ++a) {
          for (Index b = left; b < left + kernel.width; ++b) {
            count += a < x.size(-2) + padding.height && b < x.size(-1) + padding.width ? 1 : 0;
            if (a >= 0 && a < x.size(-2) && b >= 0 && b < x.size(-1)) {
              sum += planes.at({p, a, b});
              largest = std::fmax(largest, planes.at({p, a, b}));
            }
          }
        }
        y.set({p, i, j}, max ? largest : sum / count);
      }
    }
  }
  return y.reshape(x.shape().with(-2, rows).with(-1, columns));
}

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

}  // namespace

TEST_CASE("pooling computes its definition in both dtypes and has the right gradient") {
  for (const Case& one : kCases) {
    const Pool2dOptions& options = one.options;
    CAPTURE(one.shape.str());
    CAPTURE(options.kernel);
    CAPTURE(options.stride);
    const Tensor x = random_input(one.shape);
    CHECK(identical(max_pool2d(x, options), defined_pool(x, options, true)));
    CHECK(largest_difference(avg_pool2d(x, options), defined_pool(x, options, false)) < 1e-14);
    const Tensor x32 = x.detach().to(float32);
    CHECK(identical(max_pool2d(x32, options).to(float64), defined_pool(x32.to(float64), options, true)));
    CHECK(largest_difference(avg_pool2d(x32, options).to(float64), defined_pool(x, options, false)) < 1e-6);
    check_gradients([&](const auto& in) { return max_pool2d(in[0], options); }, {x});
    check_gradients([&](const auto& in) { return avg_pool2d(in[0], options); }, {x});
  }
}

TEST_CASE("2x2 pooling in float32 passes its gradient back as in float64") {
  Generator rng(2);
  for (const Shape& shape : {Shape{2, 3, 8, 50}, Shape{1, 1, 5, 37}}) {
    const Tensor x = Tensor::randn(shape, rng).requires_grad_();
    const Tensor wide = x.detach().to(float64).requires_grad_();
    const Tensor upstream = Tensor::randn(max_pool2d(x).shape(), rng);
    max_pool2d(x).backward(upstream);
    max_pool2d(wide).backward(upstream.to(float64));
    CHECK(identical(x.grad().to(float64), wide.grad()));
  }
}

TEST_CASE("windows of any size in float32 pass their gradient back as in float64") {
  Generator rng(3);
  for (const Pool2dOptions& options :
       {Pool2dOptions{.kernel = 3, .stride = 2}, Pool2dOptions{.kernel = 3, .stride = 1, .padding = 1},
        Pool2dOptions{.kernel = 4, .stride = 3, .padding = 2}}) {
    const Tensor x = Tensor::randn({2, 3, 19, 71}, rng).requires_grad_();
    const Tensor wide = x.detach().to(float64).requires_grad_();
    const Tensor upstream = Tensor::randn(max_pool2d(x, options).shape(), rng);
    max_pool2d(x, options).backward(upstream);
    max_pool2d(wide, options).backward(upstream.to(float64));
    CHECK(largest_difference(x.grad().to(float64), wide.grad()) < 1e-5);
  }
}

TEST_CASE("where a window is all -infinity, its first pixel is the largest") {
  const double inf = std::numeric_limits<double>::infinity();
  for (const DType dtype : {float32, float64}) {
    Tensor x = Tensor::full({1, 1, 3, 3}, -inf, dtype).requires_grad_();
    const Tensor y = max_pool2d(x, {.kernel = 3, .stride = 2, .padding = 1});
    CHECK(y.to_vector() == std::vector<double>(4, -inf));
    y.backward(Tensor::from({1, 2, 3, 4}, {1, 1, 2, 2}, dtype));
    CHECK(x.grad().to_vector() == std::vector<double>{1, 2, 0, 3, 4, 0, 0, 0, 0});
  }
}

TEST_CASE("pooling gives PyTorch's numbers") {
  const Pool2dOptions options{.kernel = 3, .stride = 2, .padding = 1};
  const Tensor upstream = Tensor::from({-3, 2, 0, -2}, {1, 1, 2, 2}, float64);
  Tensor x = small_picture();
  const Tensor largest = max_pool2d(x, options);
  CHECK(largest.to_vector() == std::vector<double>{7, 10, 8, 9});
  largest.backward(upstream);
  CHECK(x.grad().to_vector() == std::vector<double>{0, -3, 0, 2, 0, 0, -2, 0, 0, 0, 0, 0});
  x.zero_grad();
  const Tensor mean = avg_pool2d(x, options);
  CHECK(rounded(mean) == std::vector<double>{1.666666666667, 4.0, 1.888888888889, 3.111111111111});
  mean.backward(upstream);
  CHECK(rounded(x.grad()) == std::vector<double>{-0.333333333333, -0.111111111111, 0.222222222222,
                                                 0.222222222222, -0.333333333333, -0.333333333333, 0, 0, 0,
                                                 -0.222222222222, -0.222222222222, -0.222222222222});
}

TEST_CASE("NaN is the largest, and of equals the first gets the gradient, in each kernel") {
  const double nan = std::nan("");
  for (const DType dtype : {float32, float64}) {
    // Overlapping windows, as PyTorch 1.13 has it: the last NaN of a window gets the gradient.
    Tensor x = Tensor::from({1, nan, 3, nan, 9, 2, 5, 5, 5}, {1, 1, 3, 3}, dtype).requires_grad_();
    const Tensor y = max_pool2d(x, {.kernel = 2, .stride = 1});
    CHECK(
        (std::isnan(y.at({0, 0, 0, 0})) && std::isnan(y.at({0, 0, 0, 1})) && std::isnan(y.at({0, 0, 1, 0}))));
    CHECK(y.at({0, 0, 1, 1}) == 9);
    y.backward(Tensor::from({-3, 2, 0, -2}, {1, 1, 2, 2}, dtype));
    CHECK(x.grad().to_vector() == std::vector<double>{0, 2, 0, -3, -2, 0, 0, 0, 0});
    // The kernel for 2x2 pixels gives the gradient to the same pixels as the one for any windows does.
    Generator rng(9);
    // Cut to 0, 1, 2 and NaN: many equals.
    Tensor picture = Tensor::uniform({4, 1, 64, 66}, rng, 0, 4, dtype);
    for (Index i = 0; i < picture.numel(); ++i) {
      with_dtype(dtype, [&]<class T>() {
        T& value = picture.mutable_data<T>()[i];
        value = value >= 3 ? static_cast<T>(nan) : std::floor(value);
      });
    }
    picture.requires_grad_();
    const Tensor pairs = max_pool2d(picture);
    const Tensor upstream = Tensor::randn(pairs.shape(), rng, dtype);
    pairs.backward(upstream);
    // Windows of 2x2 of which only each second is looked at.
    Tensor other = picture.detach().clone().requires_grad_();
    const Tensor all = max_pool2d(other, {.kernel = 2, .stride = 1});
    Tensor spread = Tensor::zeros(all.shape(), dtype);
    for (Index p = 0; p < 4; ++p) {
      for (Index i = 0; i < 32; ++i) {
        for (Index j = 0; j < 33; ++j) {
          spread.set({p, 0, 2 * i, 2 * j}, upstream.at({p, 0, i, j}));
          const double a = pairs.at({p, 0, i, j}), b = all.at({p, 0, 2 * i, 2 * j});
          CHECK((a == b || (std::isnan(a) && std::isnan(b))));
        }
      }
    }
    all.backward(spread);
    CHECK(identical(picture.grad(), other.grad()));
  }
}

TEST_CASE(
    "in rows long and short, the pixel that gets the gradient is the definition's, among equals, NaN and infinities") {
  Generator rng(11);
  const double values[] = {0, 1, 2, std::nan(""), -std::numeric_limits<double>::infinity()};
  for (const Pool2dOptions& o : {Pool2dOptions{.kernel = 3, .stride = 2, .ceil_mode = true},
                                 Pool2dOptions{.kernel = 3, .stride = 1, .padding = 1},
                                 Pool2dOptions{.kernel = {2, 3}, .stride = {1, 2}},
                                 Pool2dOptions{.kernel = 4, .stride = 3, .padding = 2}}) {
    for (const Index width : {5, 12, 24, 39, 71}) {
      for (const DType dtype : {float32, float64}) {
        CAPTURE(o.kernel);
        CAPTURE(width);
        Tensor x = Tensor::empty({2, 1, 9, width}, dtype).requires_grad_();
        for (Index i = 0; i < x.numel(); ++i) {
          const double value = values[static_cast<std::size_t>(rng.uniform() * 5)];
          with_dtype(dtype, [&]<class T>() { x.mutable_data<T>()[i] = static_cast<T>(value); });
        }
        const Tensor y = max_pool2d(x, o);
        // Small whole numbers, whose sums are exact in any order.
        std::vector<double> gradients(static_cast<std::size_t>(y.numel()));
        for (double& g : gradients) g = std::floor(rng.uniform(1, 100));
        const Tensor upstream = Tensor::from(gradients, y.shape(), dtype);
        y.backward(upstream);
        Tensor expected = Tensor::zeros(x.shape(), dtype);
        for (Index n = 0; n < 2; ++n) {
          for (Index i = 0; i < y.size(2); ++i) {
            for (Index j = 0; j < y.size(3); ++j) {
              Index row = -1, column = -1;
              for (Index a = i * o.stride.height - o.padding.height, k = 0; k < o.kernel.height; ++k, ++a) {
                for (Index b = j * o.stride.width - o.padding.width, l = 0; l < o.kernel.width; ++l, ++b) {
                  if (a < 0 || b < 0 || a >= x.size(2) || b >= width) continue;
                  const double value = x.at({n, 0, a, b});
                  if (row < 0 || value > x.at({n, 0, row, column}) || std::isnan(value)) {
                    row = a;
                    column = b;
                  }
                }
              }
              const double largest = x.at({n, 0, row, column}), got = y.at({n, 0, i, j});
              CHECK((got == largest || (std::isnan(got) && std::isnan(largest))));
              expected.set({n, 0, row, column}, expected.at({n, 0, row, column}) + upstream.at({n, 0, i, j}));
            }
          }
        }
        CHECK(identical(x.grad(), expected));
      }
    }
  }
}

TEST_CASE("pooling does not depend on the number of threads") {
  Generator rng(4);
  const Tensor x = Tensor::randn({3, 5, 123, 130}, rng).requires_grad_();
  for (const Pool2dOptions& options :
       {Pool2dOptions{}, Pool2dOptions{.kernel = 3, .stride = 2, .padding = 1}}) {
    std::vector<Tensor> first;
    for (const int threads : {1, 2, 3}) {
      set_num_threads(threads);
      std::vector<Tensor> results;
      for (const auto pool : {max_pool2d, avg_pool2d}) {
        const Tensor y = pool(x, options);
        Generator upstream(5);
        y.backward(Tensor::randn(y.shape(), upstream));
        results.insert(results.end(), {y.detach(), x.grad()});
        Tensor(x).zero_grad();
      }
      first = first.empty() ? results : first;
      for (std::size_t i = 0; i < results.size(); ++i) {
        CHECK(identical(results[i], first[i]));
      }
    }
  }
  set_num_threads(2);
}

TEST_CASE("an empty batch pools to an empty batch") {
  CHECK(max_pool2d(Tensor::zeros({0, 3, 4, 4})).shape() == Shape{0, 3, 2, 2});
  CHECK(avg_pool2d(Tensor::zeros({0, 3, 4, 4})).shape() == Shape{0, 3, 2, 2});
}

TEST_CASE("what pooling cannot take is named") {
  const Tensor x = Tensor::zeros({1, 3, 4, 5});
  CHECK_THROWS_WITH_AS(max_pool2d(Tensor::zeros({4, 5})),
                       "max_pool2d: x must be (N, C, H, W) or (C, H, W), got shape (4, 5)", ArgumentError);
  CHECK_THROWS_WITH_AS(avg_pool2d(x, {.kernel = 6}),
                       doctest::Contains("x (1, 3, 4, 5) is smaller than one window"), ArgumentError);
  CHECK_THROWS_WITH_AS(max_pool2d(x, {.kernel = 0}),
                       doctest::Contains("kernel must be from 1 to 2^20, got 0"), ArgumentError);
  CHECK_THROWS_WITH_AS(max_pool2d(x, {.kernel = 2, .stride = 0}), doctest::Contains("stride"), ArgumentError);
  CHECK_THROWS_WITH_AS(max_pool2d(x, {.kernel = 3, .stride = 1, .padding = 2}),
                       doctest::Contains("padding must be from 0 to half the kernel of 3, got 2"),
                       ArgumentError);
  CHECK_THROWS_AS(max_pool2d(Tensor::zeros({1, 3, 0, 5}), {.kernel = 2, .stride = 1, .padding = 1}),
                  ArgumentError);
  CHECK_THROWS_AS(max_pool2d(Tensor()), ArgumentError);
}

TEST_CASE("of equal pixels the first of the window gets the gradient, as in PyTorch") {
  for (const DType dtype : {float32, float64}) {
    for (const Pool2dOptions& options :
         {Pool2dOptions{}, Pool2dOptions{.kernel = 2, .stride = 2, .padding = 1},
          Pool2dOptions{.kernel = 2, .stride = 3}}) {
      const Tensor x = Tensor::ones({1, 1, 8, 40}, dtype).requires_grad_();
      const Tensor y = max_pool2d(x, options);
      y.backward(Tensor::ones(y.shape(), dtype));
      std::vector<double> expected(8 * 40, 0.0);
      for (Index i = 0; i < y.size(2); ++i) {
        for (Index j = 0; j < y.size(3); ++j) {
          const Index row = std::max<Index>(0, i * options.stride.height - options.padding.height);
          const Index column = std::max<Index>(0, j * options.stride.width - options.padding.width);
          expected[row * 40 + column] += 1;
        }
      }
      CHECK(x.grad().to_vector() == expected);
    }
  }
}

TEST_CASE("windows that are not square, and means of a given size, are PyTorch's") {
  check_against_torch("max_pool_wide", [](const auto& in) {
    return max_pool2d(in[0], {.kernel = {2, 3}, .stride = {1, 2}, .padding = {1, 0}});
  });
  check_against_torch("max_pool_ceil", [](const auto& in) {
    return max_pool2d(in[0], {.kernel = {3, 2}, .stride = {2, 3}, .padding = 1, .ceil_mode = true});
  });
  check_against_torch("avg_pool_wide", [](const auto& in) {
    return avg_pool2d(in[0], {.kernel = {3, 2}, .stride = {2, 1}, .padding = {1, 0}});
  });
  check_against_torch("avg_pool_ceil", [](const auto& in) {
    return avg_pool2d(in[0], {.kernel = {2, 4}, .stride = {3, 2}, .padding = {1, 2}, .ceil_mode = true});
  });
  check_against_torch("adaptive_one", [](const auto& in) { return adaptive_avg_pool2d(in[0], 1); });
  check_against_torch("adaptive", [](const auto& in) { return adaptive_avg_pool2d(in[0], {3, 4}); });
  check_against_torch("adaptive_larger", [](const auto& in) { return adaptive_avg_pool2d(in[0], {9, 10}); });
}

TEST_CASE("means of a given size have the right gradient and name what they cannot take") {
  for (const Shape& shape : {Shape{1, 1, 1, 1}, {2, 3, 1, 7}, {3, 5, 2}, {1, 2, 6, 4}}) {
    for (const Size2d size : {Size2d(1), Size2d(2, 3), Size2d(7, 1)}) {
      CAPTURE(shape.str());
      CAPTURE(size);
      check_gradients([&](const auto& in) { return adaptive_avg_pool2d(in[0], size); },
                      {random_input(shape)});
    }
  }
  CHECK(adaptive_avg_pool2d(Tensor::zeros({0, 3, 4, 4}), 2).shape() == Shape{0, 3, 2, 2});
  CHECK_THROWS_WITH_AS(adaptive_avg_pool2d(Tensor::zeros({1, 0, 4}), 1), doctest::Contains("without pixels"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(adaptive_avg_pool2d(Tensor::zeros({1, 4, 4}), {0, 1}),
                       doctest::Contains("the size 0x1"), ArgumentError);
  CHECK_THROWS_AS(adaptive_avg_pool2d(Tensor::zeros({4, 4}), 1), ArgumentError);
}
