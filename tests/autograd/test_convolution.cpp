// Convolution: the fast kernels against the plain one over many shapes, gradients against finite differences,
// independence of the thread count, PyTorch's values, what is kept for backward, and errors.
#include "gesso/autograd/convolution.h"

#include <cmath>
#include <limits>
#include <string>

#include "convolution_results.h"
#include "gesso/autograd/elementwise.h"
#include "gesso/core/convolution/convolution.h"
#include "gesso/core/files/safetensors.h"
#include "gesso/core/memory/memory_pool.h"
#include "golden_operations.h"
#include "paths.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

struct Case {
  Index batch, in_channels, out_channels, groups;
  Size2d in, kernel, stride, padding, dilation;
  PaddingMode padding_mode = PaddingMode::zeros;

  ConvolutionShape shape() const {
    ConvolutionShape s{batch,  in_channels, out_channels, groups,   in,          1,
                       kernel, stride,      padding,      dilation, padding_mode};
    s.out = convolution_output_size(in, kernel, stride, padding, dilation);
    return s;
  }
};

const Case kCases[] = {
    // the plainest, then one thing at a time
    {1, 1, 1, 1, 1, 1, 1, 0, 1},
    {1, 1, 1, 1, 5, 3, 1, 1, 1},
    {2, 3, 4, 1, {7, 6}, {3, 2}, 1, 0, 1},
    {2, 3, 4, 1, {7, 6}, 3, {2, 3}, {1, 2}, 1},
    {2, 3, 4, 1, {9, 8}, 3, 1, 2, {2, 3}},
    {2, 4, 6, 2, {5, 7}, 3, 1, 1, 1},
    {3, 5, 5, 5, {6, 5}, 3, 2, 1, 1},
    // 1x1 kernels: without im2col, and with stride or padding
    {2, 5, 3, 1, {9, 11}, 1, 1, 0, 1},
    {2, 6, 4, 2, {4, 3}, 1, 1, 0, 3},
    {2, 17, 19, 1, {33, 29}, 1, 1, 0, 1, PaddingMode::reflect},  // their pixels in a row make several tiles
    {1, 33, 48, 3, {24, 25}, 1, 1, 0, 1},
    {2, 5, 3, 1, {9, 11}, 1, 2, 0, 1},
    {2, 5, 3, 1, {3, 4}, 1, 1, 1, 1},
    // pictures of one pixel or one row; padding wider than the kernel, so that some results read only zeros
    {1, 2, 3, 1, 1, 3, 1, 1, 1},
    {4, 1, 2, 1, {1, 9}, {1, 4}, 1, {0, 3}, 1},
    {2, 2, 2, 1, {9, 1}, {4, 1}, 3, {2, 0}, 1},
    {1, 2, 3, 1, {2, 3}, 2, 1, 4, 1},
    {1, 2, 3, 1, {3, 2}, 2, 2, 5, 2},
    // a stride larger than the kernel, rows and columns of x that nothing reads
    {2, 3, 2, 1, {10, 11}, 2, 4, 0, 1},
    {2, 3, 2, 1, {8, 9}, 3, 2, 0, 1},
    // more than one block of columns, of channels, of partial sums
    {2, 17, 19, 1, {33, 29}, 3, 1, 1, 1},
    {1, 40, 21, 1, {41, 23}, 3, 2, 1, 1},
    {2, 96, 5, 1, {19, 13}, {5, 3}, 1, {2, 1}, 1},
    {3, 3, 16, 1, {27, 33}, 9, 1, 4, 1},
    {2, 1, 25, 1, {40, 38}, 7, 1, 0, 1},
    {1, 16, 3, 1, {21, 37}, 9, 1, 4, 1},
    {2, 32, 48, 4, {21, 35}, 3, 1, 1, 1},
    // tiles of the direct convolution: cut across, cut to fit the cache, slices of channels
    {1, 2, 3, 1, {4, 301}, 3, 1, 1, 1},
    {1, 3, 2, 1, {9, 541}, {3, 5}, 2, {1, 0}, 1},
    {1, 300, 3, 1, {9, 70}, 3, 1, 1, 1},
    {1, 65, 64, 1, {20, 18}, 3, 1, 1, 1},
    // outer products: slices of channels, tiles cut across, one register and more of channels
    {1, 130, 16, 1, {25, 20}, 3, 1, 1, 1},
    {1, 2, 12, 1, {4, 301}, 3, {1, 2}, 1, 1},
    {2, 3, 47, 1, {21, 30}, {5, 3}, 2, {2, 1}, 1},
    {1, 6, 64, 2, {13, 40}, 3, 2, 1, 2},
    // padding that shows pixels: as wide as a reflection can be, on one axis, wider than the kernel, with
    // rows and columns of the frame that nothing reads, of one pixel
    {1, 1, 1, 1, 2, 3, 1, 1, 1, PaddingMode::reflect},
    {2, 2, 3, 1, {5, 4}, 3, 1, 1, 1, PaddingMode::reflect},
    {2, 3, 2, 1, {4, 3}, {5, 4}, 1, {3, 2}, 1, PaddingMode::reflect},
    {2, 4, 6, 2, {9, 8}, 3, 2, 1, 1, PaddingMode::reflect},
    {1, 2, 2, 1, {7, 8}, 2, 3, {0, 4}, 2, PaddingMode::reflect},
    {1, 2, 3, 1, {8, 7}, {1, 3}, {2, 1}, {3, 2}, {1, 2}, PaddingMode::reflect},
    {2, 17, 19, 1, {33, 29}, 3, 1, 1, 1, PaddingMode::reflect},
    {1, 3, 32, 1, {41, 37}, 9, 1, 4, 1, PaddingMode::reflect},
    {1, 8, 3, 1, {10, 301}, 9, 1, 4, 1, PaddingMode::reflect},
    {2, 20, 33, 1, {32, 34}, 3, 2, 1, 1, PaddingMode::reflect},
    {1, 1, 1, 1, 1, 3, 1, 1, 1, PaddingMode::replicate},
    {2, 2, 3, 1, {1, 4}, 3, 1, {3, 2}, 2, PaddingMode::replicate},
    {2, 4, 2, 2, {6, 5}, {3, 4}, 2, {2, 7}, 1, PaddingMode::replicate},
    {2, 16, 17, 1, {21, 40}, 3, 1, 1, 1, PaddingMode::replicate},
};

// The rounding error to expect of a sum of `terms` products of normal numbers, added one after the other, or
// by Winograd's algorithm, whose transforms lose two or three bits.
template <class T>
double tolerance(Index terms) {
  return 4 * std::numeric_limits<T>::epsilon() * static_cast<double>(terms + 16);
}

constexpr ConvolutionAlgorithm kFast[] = {ConvolutionAlgorithm::automatic, ConvolutionAlgorithm::im2col,
                                          ConvolutionAlgorithm::direct};

template <class T>
void check_against_plain() {
  for (const Case& c : kCases) {
    CAPTURE(&c - kCases);
    const ConvolutionShape s = c.shape();
    const ConvolutionResults plain = convolution_results<T>(s, ConvolutionAlgorithm::plain);
    for (const ConvolutionAlgorithm algorithm : kFast) {
      CAPTURE(static_cast<int>(algorithm));
      const auto check = [&](const std::string& name, const Tensor& got, const Tensor& want) {
        CAPTURE(name);
        const Index terms = name.starts_with("y")    ? s.fan_in()
                            : name.starts_with("dx") ? s.group_out() * s.taps()
                                                     : s.batch * s.out_pixels();
        CHECK(largest_difference(got, want) < tolerance<T>(terms));
      };
      ConvolutionResults::for_each_pair(convolution_results<T>(s, algorithm), plain, check);
    }
  }
}

}  // namespace

TEST_CASE("the plain kernel computes a sum that can be done by hand") {
  // A 2x2 kernel over a row of padding and 1 2 3 / 4 5 6.
  const Tensor x = Tensor::from({1, 2, 3, 4, 5, 6}, {1, 1, 2, 3}, float64);
  const Tensor w = Tensor::from({1, 10, 100, 1000}, {1, 1, 2, 2}, float64);
  const Tensor y = conv2d(x, w, Tensor::from({0.5}, {1}, float64), {.padding = {1, 0}});
  CHECK(y.shape() == Shape{1, 1, 3, 2});
  CHECK(y.to_vector() == std::vector<double>{2100.5, 3200.5, 5421.5, 6532.5, 54.5, 65.5});
  Tensor plain = Tensor::empty(y.shape(), float64);
  const double bias = 0.5;
  const ConvolutionShape s{.in = {2, 3}, .out = {3, 2}, .kernel = 2, .padding = {1, 0}};
  convolution_forward(s, x.data<double>(), w.data<double>(), &bias, plain.mutable_data<double>(),
                      ConvolutionAlgorithm::plain);
  CHECK(identical(plain, y));
}

TEST_CASE("all algorithms agree with the plain one") {
  check_against_plain<float>();
  check_against_plain<double>();
}

TEST_CASE("results do not depend on the number of threads") {
  for (const Case& c : kCases) {
    CAPTURE(&c - kCases);
    check_any_number_of_threads<float>(c.shape(), ConvolutionAlgorithm::im2col);
    check_any_number_of_threads<float>(c.shape(), ConvolutionAlgorithm::direct);
  }
}

TEST_CASE("conv2d has the right gradients for input, weight and bias") {
  for (const Case& c : kCases) {
    if (c.shape().batch * c.in_channels * c.shape().in_pixels() > 1000) {
      continue;  // the large ones are for the kernels
    }
    CAPTURE(&c - kCases);
    const ConvolutionShape s = c.shape();
    const Conv2dFunctionOptions options{.stride = c.stride,
                                        .padding = c.padding,
                                        .dilation = c.dilation,
                                        .groups = c.groups,
                                        .padding_mode = c.padding_mode};
    check_gradients([&](const auto& in) { return conv2d(in[0], in[1], in[2], options); },
                    {random_input({c.batch, c.in_channels, c.in.height, c.in.width}, 1),
                     random_input({c.out_channels, s.group_in(), c.kernel.height, c.kernel.width}, 2),
                     random_input({c.out_channels}, 3)});
  }
}

// The definition that the kernels are held to reads x through padding_source(); pad2d makes the padded copy
// that they spare.
TEST_CASE("conv2d pads as pad2d does") {
  for (const Case& c : kCases) {
    CAPTURE(&c - kCases);
    const ConvolutionShape s = c.shape();
    Tensor x = random_input({c.batch, c.in_channels, c.in.height, c.in.width}, 1);
    Tensor w = random_input({c.out_channels, s.group_in(), c.kernel.height, c.kernel.width}, 2);
    const Tensor dy = normal_numbers<double>({c.batch, c.out_channels, s.out.height, s.out.width}, 3);
    const auto gradients = [&](const Tensor& y) {
      x.zero_grad();
      w.zero_grad();
      y.backward(dy);
      return std::vector{y.detach(), x.grad(), w.grad()};
    };
    const auto [rows, columns] = c.padding;
    Conv2dFunctionOptions options{.stride = c.stride, .dilation = c.dilation, .groups = c.groups};
    const auto want =
        gradients(conv2d(pad2d(x, {columns, columns, rows, rows}, c.padding_mode), w, {}, options));
    options.padding = c.padding;
    options.padding_mode = c.padding_mode;
    const auto got = gradients(conv2d(x, w, {}, options));
    for (int i = 0; i < 3; ++i) {
      CAPTURE(i);
      CHECK(largest_difference(got[i], want[i]) <
            tolerance<double>(std::max({s.fan_in(), s.group_out() * s.taps(), s.batch * s.out_pixels()})));
    }
  }
}

TEST_CASE("conv2d with a relu is relu(conv2d), forward and backward") {
  for (const Case& c : kCases) {
    const ConvolutionShape s = c.shape();
    if (s.batch * c.in_channels * s.in_pixels() > 1000) {
      continue;  // the large ones are for the kernels
    }
    CAPTURE(&c - kCases);
    const Conv2dFunctionOptions options{
        .stride = c.stride, .padding = c.padding, .dilation = c.dilation, .groups = c.groups};
    constexpr Activation with_relu = Activation::relu;
    const Tensor x = random_input({c.batch, c.in_channels, c.in.height, c.in.width}, 1);
    const Tensor w = random_input({c.out_channels, s.group_in(), c.kernel.height, c.kernel.width}, 2);
    const Tensor b = random_input({c.out_channels}, 3);
    CHECK(identical(conv2d(x, w, b, options, with_relu), relu(conv2d(x, w, b, options))));
    check_gradients([&](const auto& in) { return conv2d(in[0], in[1], in[2], options, with_relu); },
                    {x, w, b});
    // One gradient alone goes another way.
    check_gradients([&](const auto& in) { return conv2d(in[0], w, b, options, with_relu); }, {x});
    check_gradients([&](const auto& in) { return conv2d(x, in[0], {}, options, with_relu); }, {w});
    // Frozen weights, as those of a loss network.
    check_gradients([&](const auto& in) { return conv2d(in[0], w.detach(), b.detach(), options, with_relu); },
                    {x});
  }
}

TEST_CASE("with a relu and frozen weights the gradient of x is that of relu(conv2d), in every algorithm") {
  Generator rng(9);
  for (const Shape& shape : {Shape{2, 16, 20, 24}, Shape{1, 3, 9, 11}, Shape{1, 32, 40, 36}}) {
    for (Index out : {16, 5}) {
      for (Index stride : {1, 2}) {
        CAPTURE(shape.str());
        CAPTURE(out);
        CAPTURE(stride);
        const Tensor w = Tensor::randn({out, shape[1], 3, 3}, rng), b = Tensor::randn({out}, rng);
        const Tensor values = Tensor::randn(shape, rng);
        const Conv2dFunctionOptions options{.stride = stride, .padding = 1};
        const auto gradient = [&](bool fused) {
          const Tensor x = values.clone().requires_grad_();
          const Tensor y =
              fused ? conv2d(x, w, b, options, Activation::relu) : relu(conv2d(x, w, b, options));
          Generator upstream(10);
          y.backward(Tensor::randn(y.shape(), upstream));
          return x.grad();
        };
        CHECK(largest_difference(gradient(true), gradient(false)) < 2e-4);
      }
    }
  }
}

TEST_CASE("a relu in the same pass lets the gradient through at NaN, as relu does") {
  for (const Shape& shape : {Shape{1, 16, 16, 16}, Shape{1, 2, 5, 5}}) {
    const Tensor w = Tensor::full({16, shape[1], 3, 3}, 0.1);
    Tensor x = Tensor::ones(shape);
    x.set({0, 0, 0, 0}, NAN);
    const auto bias_gradient = [&](bool fused) {
      const Tensor b = Tensor::full({16}, -0.5).requires_grad_();
      const Tensor y =
          fused ? conv2d(x, w, b, {.padding = 1}, Activation::relu) : relu(conv2d(x, w, b, {.padding = 1}));
      y.backward(Tensor::ones(y.shape()));
      return b.grad();
    };
    CHECK(identical(bias_gradient(true), bias_gradient(false)));
  }
}

TEST_CASE("one picture without a batch dimension, and no bias") {
  const Tensor x = random_input({3, 5, 4}, 1);
  const Tensor w = random_input({2, 3, 3, 3}, 2);
  const Tensor y = conv2d(x, w, {}, {.padding = 1});
  CHECK(y.shape() == Shape{2, 5, 4});
  CHECK(identical(y, conv2d(x.reshape({1, 3, 5, 4}), w, {}, {.padding = 1}).reshape({2, 5, 4})));
  check_gradients([](const auto& in) { return conv2d(in[0], in[1], {}, {.padding = 1}); }, {x, w});
  const Tensor v = random_input({3, 2, 3, 3}, 2);
  CHECK(conv_transpose2d(x, v).shape() == Shape{2, 7, 6});
  check_gradients([](const auto& in) { return conv_transpose2d(in[0], in[1]); }, {x, v});
}

TEST_CASE("an empty batch gives an empty result and zero gradients") {
  const Tensor x = Tensor::zeros({0, 2, 5, 5}).requires_grad_();
  const Tensor w = Tensor::ones({3, 2, 3, 3}).requires_grad_();
  const Tensor b = Tensor::ones({3}).requires_grad_();
  const Tensor y = conv2d(x, w, b);
  CHECK(y.shape() == Shape{0, 3, 3, 3});
  y.backward(Tensor::zeros(y.shape()));
  CHECK(identical(w.grad(), Tensor::zeros(w.shape())));
  CHECK(identical(b.grad(), Tensor::zeros(b.shape())));
}

TEST_CASE("conv_transpose2d is the transpose of conv2d") {
  // <conv2d(x), y> = <x, conv_transpose2d(y)> for all x and y.
  for (const Case& c : kCases) {
    CAPTURE(&c - kCases);
    const ConvolutionShape s = c.shape();
    const Tensor x = normal_numbers<double>({c.batch, c.in_channels, c.in.height, c.in.width}, 1);
    const Tensor w =
        normal_numbers<double>({c.out_channels, s.group_in(), c.kernel.height, c.kernel.width}, 2);
    const Tensor y = normal_numbers<double>({c.batch, c.out_channels, s.out.height, s.out.width}, 4);
    const auto missing = [](Index in, Index out, Index kernel, Index stride, Index padding, Index dilation) {
      return in - ((out - 1) * stride - 2 * padding + dilation * (kernel - 1) + 1);
    };
    const Size2d output_padding = {
        missing(c.in.height, s.out.height, c.kernel.height, c.stride.height, c.padding.height,
                c.dilation.height),
        missing(c.in.width, s.out.width, c.kernel.width, c.stride.width, c.padding.width, c.dilation.width)};
    const Tensor left =
        conv2d(x, w, {},
               {.stride = c.stride, .padding = c.padding, .dilation = c.dilation, .groups = c.groups}) *
        y;
    const Tensor right = x * conv_transpose2d(y, w, {},
                                              {.stride = c.stride,
                                               .padding = c.padding,
                                               .output_padding = output_padding,
                                               .groups = c.groups,
                                               .dilation = c.dilation});
    const auto total = [](const Tensor& t) {
      double sum = 0;
      for (const double v : t.to_vector()) sum += v;
      return sum;
    };
    CHECK(total(left) == doctest::Approx(total(right)).epsilon(1e-9));
  }
}

TEST_CASE("conv_transpose2d has the right gradients for input, weight and bias") {
  struct Transposed {
    Shape x, weight;
    ConvTranspose2dFunctionOptions options;
  };
  const Transposed cases[] = {
      {{1, 1, 1, 1}, {1, 1, 1, 1}, {}},
      {{2, 3, 4, 3}, {3, 2, 3, 3}, {}},
      {{2, 3, 4, 3}, {3, 2, 3, 3}, {.stride = 2, .padding = 1, .output_padding = 1}},
      {{1, 4, 1, 5},
       {4, 3, 2, 3},
       {.stride = {3, 2}, .padding = {0, 1}, .output_padding = {2, 0}, .groups = 2}},
      {{2, 2, 3, 2}, {2, 1, 2, 3}, {.output_padding = {1, 0}, .groups = 2, .dilation = {2, 1}}},
      {{2, 3, 1, 1}, {3, 2, 4, 4}, {.padding = 1}},
  };
  for (const auto& one : cases) {
    CAPTURE(one.x.str());
    CAPTURE(one.weight.str());
    const auto& [x, weight, options] = one;
    check_gradients(
        [&, o = options](const auto& in) { return conv_transpose2d(in[0], in[1], in[2], o); },
        {random_input(x, 1), random_input(weight, 2), random_input({weight[1] * options.groups}, 3)});
  }
}

// tests/golden/make_convolution.py wrote the values and says what is in each entry.
TEST_CASE("results and gradients are PyTorch's") {
  const SafetensorsReader golden(source_path("tests/golden/convolution.safetensors"));
  int cases = 0;
  for (const std::string& name : golden.names()) {
    const std::string suffix = ".options";
    if (!name.ends_with(suffix)) {
      continue;
    }
    CAPTURE(name);
    ++cases;
    const auto entry = [&](const char* key) {
      return golden.load(name.substr(0, name.size() - suffix.size()) + key);
    };
    const std::vector<double> numbers = entry(".options").to_vector();
    const auto pair = [&](int i) {
      return Size2d(static_cast<Index>(numbers[i]), static_cast<Index>(numbers[i + 1]));
    };
    const auto groups = static_cast<Index>(numbers[8]);
    const auto mode = static_cast<PaddingMode>(numbers[9]);
    const Tensor x = entry(".x").requires_grad_(), weight = entry(".weight").requires_grad_();
    const Tensor bias = entry(".bias").requires_grad_();
    const Tensor y = name.starts_with("conv2d") ? conv2d(x, weight, bias,
                                                         {.stride = pair(0),
                                                          .padding = pair(2),
                                                          .dilation = pair(6),
                                                          .groups = groups,
                                                          .padding_mode = mode})
                                                : conv_transpose2d(x, weight, bias,
                                                                   {.stride = pair(0),
                                                                    .padding = pair(2),
                                                                    .output_padding = pair(4),
                                                                    .groups = groups,
                                                                    .dilation = pair(6)});
    CHECK(largest_difference(y, entry(".y")) < 1e-13);
    y.backward(entry(".dy"));
    CHECK(largest_difference(x.grad(), entry(".dx")) < 1e-13);
    CHECK(largest_difference(weight.grad(), entry(".dweight")) < 1e-13);
    CHECK(largest_difference(bias.grad(), entry(".dbias")) < 1e-13);
  }
  CHECK(cases == 15);
}

TEST_CASE("backward keeps only what a wanted gradient needs") {
  // The bytes that the result and its graph hold when the caller has let go of x and weight.
  const auto held = [](bool x_wanted, bool weight_wanted, Activation activation = Activation::none) {
    const std::size_t before = memory_stats().current_bytes;
    Tensor x = Tensor::ones({1, 4, 32, 32}).requires_grad_(x_wanted);
    Tensor weight = Tensor::ones({8, 4, 32, 32}).requires_grad_(weight_wanted);
    const Tensor y = conv2d(x, weight, {}, {.padding = 16}, activation);
    x = weight = Tensor();
    return memory_stats().current_bytes - before;
  };
  const std::size_t result = held(false, false), x = 4 * 32 * 32 * sizeof(float), weight = 8 * x;
  CHECK(held(true, false) == result + weight);  // a frozen convolution keeps no input
  CHECK(held(false, true) == result + x);       // the first convolution of a network keeps no weight
  CHECK(held(true, true) == result + x + weight);
  CHECK(held(false, false, Activation::relu) == result);
  // A relu adds one bit for each number, here of 8 pictures of 33 x 33 (and up to the end of a size class).
  const std::size_t mask = held(true, false, Activation::relu) - result - weight;
  CHECK(mask >= 8 * 33 * 33 / 8);
  CHECK(mask <= result / 16);
  // and padding that shows pixels makes no copy of x
  const Tensor x_shown = Tensor::ones({1, 4, 32, 32}), ones = Tensor::ones({1, 4, 3, 3}).requires_grad_();
  const std::size_t before = memory_stats().current_bytes;
  const Tensor y = conv2d(x_shown, ones, {}, {.padding = 1, .padding_mode = PaddingMode::reflect});
  CHECK(memory_stats().current_bytes - before == 32 * 32 * sizeof(float));
}

TEST_CASE("arguments that do not fit are named") {
  const Tensor x = Tensor::zeros({2, 4, 8, 8});
  const Tensor w = Tensor::zeros({6, 4, 3, 3});
  CHECK_THROWS_WITH_AS(conv2d(Tensor::zeros({2, 5, 8, 8}), w),
                       doctest::Contains("conv2d: x (2, 5, 8, 8) has 5 channels, weight (6, 4, 3, 3) with "
                                         "groups 1 reads 4"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(conv2d(x, w, {}, {.groups = 3}),
                       doctest::Contains("groups 3 must divide the 4 channels"), ArgumentError);
  CHECK_THROWS_WITH_AS(conv2d(x, w, {}, {.groups = 0}), doctest::Contains("groups 0"), ArgumentError);
  CHECK_THROWS_WITH_AS(
      conv2d(x, Tensor::zeros({6, 4, 9, 3})),
      doctest::Contains("the kernel of 9x3 with dilation 1x1 is larger than the picture of 8x8"),
      ArgumentError);
  CHECK_THROWS_WITH_AS(conv2d(x, w, {}, {.dilation = {1, 4}}), doctest::Contains("dilation 1x4"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(conv2d(x, w, {}, {.padding = 8, .padding_mode = PaddingMode::reflect}),
                       doctest::Contains("conv2d: reflect padding of 8"), ArgumentError);
  CHECK_THROWS_WITH_AS(conv2d(x, w, {}, {.stride = {1, 0}}), doctest::Contains("stride 1x0"), ArgumentError);
  CHECK_THROWS_WITH_AS(conv2d(x, w, {}, {.padding = -1}), doctest::Contains("padding -1x-1"), ArgumentError);
  CHECK_THROWS_WITH_AS(
      conv2d(x, w, Tensor::zeros({4})),
      doctest::Contains("bias must have shape (6), one number for each channel of the result; "
                        "it has (4)"),
      ArgumentError);
  CHECK_THROWS_WITH_AS(conv2d(x, Tensor::zeros({6, 4, 3})), doctest::Contains("weight must have four"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(conv2d(Tensor::zeros({4, 8}), w), doctest::Contains("it has (4, 8)"), ArgumentError);
  CHECK_THROWS_AS(conv2d(x, Tensor::zeros({6, 4, 0, 3})), ArgumentError);
  CHECK_THROWS_AS(conv2d(x, w.to(float64)), ArgumentError);
  CHECK_THROWS_AS(conv2d(x, w, Tensor::zeros({6}, float64)), ArgumentError);
  CHECK_THROWS_AS(conv2d(Tensor(), w), ArgumentError);
  CHECK_THROWS_AS(conv2d(x, Tensor()), ArgumentError);

  const Tensor v = Tensor::zeros({4, 2, 3, 3});
  CHECK_THROWS_WITH_AS(
      conv_transpose2d(x, w),
      doctest::Contains("conv_transpose2d: x (2, 4, 8, 8) has 4 channels, weight (6, 4, 3, 3) "
                        "reads 6"),
      ArgumentError);
  CHECK_THROWS_WITH_AS(conv_transpose2d(x, v, {}, {.groups = 3}), doctest::Contains("groups 3 must divide"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(conv_transpose2d(x, v, Tensor::zeros({4})),
                       doctest::Contains("bias must have shape (2)"), ArgumentError);
  CHECK_THROWS_WITH_AS(conv_transpose2d(x, v, {}, {.stride = 2, .output_padding = 2}),
                       doctest::Contains("output_padding 2x2 must be smaller than stride 2x2"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(conv_transpose2d(x, v, {}, {.padding = 5}), doctest::Contains("leaves nothing"),
                       ArgumentError);
}

TEST_CASE("same padding is PyTorch's, and with strides rounds up") {
  check_against_torch("same", [](const auto& in) { return conv2d(in[0], in[1], {}, {.same = true}); });
  check_against_torch("same_dilated", [](const auto& in) {
    return conv2d(in[0], in[1], {}, {.dilation = {3, 1}, .same = true});
  });
  for (const Size2d kernel : {Size2d(1), Size2d(2, 3), Size2d(4, 1)}) {
    for (const Size2d stride : {Size2d(1), Size2d(2, 3), Size2d(5)}) {
      CAPTURE(kernel);
      CAPTURE(stride);
      const Tensor x = random_input({2, 2, 5, 7}, 1),
                   w = random_input({3, 2, kernel.height, kernel.width}, 2);
      const Conv2dFunctionOptions options{.stride = stride, .same = true};
      CHECK(conv2d(x, w, {}, options).shape() ==
            Shape{2, 3, divide_up(5, stride.height), divide_up(7, stride.width)});
      check_gradients([&](const auto& in) { return conv2d(in[0], in[1], in[2], options, Activation::relu); },
                      {x, w, random_input({3}, 3)});
    }
  }
  CHECK_THROWS_WITH_AS(
      conv2d(Tensor::zeros({1, 3, 3}), Tensor::zeros({1, 1, 2, 2}), {}, {.padding = 1, .same = true}),
      doctest::Contains("leave one of them out"), ArgumentError);
}
