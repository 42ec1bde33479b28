// Winograd's convolutions against the plain kernel in float64, over shapes that fill no block; relu and its
// mask; independence of the thread count; where the algorithm is chosen and where it is refused.
#include <algorithm>
#include <cmath>

#include "gesso/core/convolution/convolution.h"
#include "gesso/core/convolution/relu_mask.h"
#include "gesso/core/parallel.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

struct Case {
  Index batch, in_channels, out_channels;
  Size2d in, padding;
  PaddingMode mode = PaddingMode::zeros;

  ConvolutionShape shape() const {
    ConvolutionShape s{.batch = batch,
                       .in_channels = in_channels,
                       .out_channels = out_channels,
                       .in = in,
                       .kernel = 3,
                       .padding = padding,
                       .padding_mode = mode};
    s.out = convolution_output_size(in, s.kernel, s.stride, padding, s.dilation);
    return s;
  }
};

constexpr PaddingMode kReflect = PaddingMode::reflect, kReplicate = PaddingMode::replicate;

const Case kCases[] = {
    // pictures of one pixel, one row, one column; one tile and a little more
    {1, 1, 1, 1, 1},
    {1, 2, 3, 1, 2},
    {2, 3, 2, {1, 11}, 1},
    {2, 3, 2, {13, 1}, {2, 1}},
    {1, 1, 1, 3, 0},
    {1, 2, 2, 4, 1},
    {2, 2, 2, {5, 9}, 1},
    {2, 5, 4, {7, 6}, {0, 2}},
    {1, 3, 2, {6, 7}, {4, 3}},
    // channels around groups of 16 and panels of 32
    {1, 16, 32, {9, 10}, 1},
    {2, 17, 33, {6, 5}, 1},
    {1, 31, 15, {5, 8}, 0},
    {1, 48, 49, {10, 6}, 1},
    // strips of 16 tiles, runs, blocks of tiles that end inside a row and go from picture to picture
    {1, 2, 3, {5, 64}, 1},
    {1, 2, 3, {9, 131}, 1},
    {3, 20, 18, {30, 37}, 2},
    {2, 5, 7, {70, 66}, 0},
    // slices of in channels, wide layers
    {1, 130, 18, {18, 21}, 1},
    {1, 18, 150, {13, 17}, 1},
    {1, 272, 3, {66, 66}, 1},
    {1, 3, 272, {66, 66}, 1},
    // what the padding shows
    {2, 3, 5, {6, 7}, 1, kReflect},
    {1, 17, 4, {5, 66}, {2, 1}, kReflect},
    {1, 2, 3, {5, 4}, {4, 3}, kReflect},
    {2, 3, 5, {6, 7}, {1, 3}, kReplicate},
    {1, 3, 5, {1, 1}, 2, kReplicate},
};

Tensor normal(const Shape& shape, std::uint64_t seed) {
  Generator rng(seed);
  return Tensor::randn(shape, rng);
}

// A mask of random numbers.
ReluMask random_mask(const ConvolutionShape& s) {
  ReluMask mask(s.batch, s.out_channels, s.out);
  Tensor numbers = normal({s.batch, s.out_channels, s.out.height, s.out.width}, 5);
  apply_relu({true, &mask}, s, numbers.mutable_data<float>());
  return mask;
}

struct Results {
  Tensor y, y_without_bias, y_relu, dx, dw, dx_relu, dw_relu;
};

// With T = float by Winograd's algorithm; with double by the plain one, or another where that takes long.
template <class T>
Results compute(const ConvolutionShape& s) {
  const bool small = s.batch * s.out_channels * s.out_pixels() * s.fan_in() < 5e6;
  const ConvolutionAlgorithm algorithm = std::is_same_v<T, float> ? ConvolutionAlgorithm::winograd
                                         : small                  ? ConvolutionAlgorithm::plain
                                                                  : ConvolutionAlgorithm::direct;
  const Tensor x = normal({s.batch, s.in_channels, s.in.height, s.in.width}, 1).to(dtype_of<T>);
  const Tensor w = normal({s.out_channels, s.in_channels, 3, 3}, 2).to(dtype_of<T>);
  const Tensor b = normal({s.out_channels}, 3).to(dtype_of<T>);
  const Tensor dy = normal({s.batch, s.out_channels, s.out.height, s.out.width}, 4).to(dtype_of<T>);
  const Tensor garbage_y = Tensor::full(dy.shape(), NAN, dtype_of<T>);
  const Tensor garbage_x = Tensor::full(x.shape(), NAN, dtype_of<T>);
  const Tensor garbage_w = Tensor::full(w.shape(), NAN, dtype_of<T>);
  Results r{garbage_y.clone(), garbage_y.clone(), garbage_y.clone(), garbage_x.clone(),
            garbage_w.clone(), garbage_x.clone(), garbage_w.clone()};
  // The same mask for both, of other numbers: those of y may be rounded to both sides of zero.
  const ReluMask mask = random_mask(s);
  convolution_forward(s, x.data<T>(), w.data<T>(), b.data<T>(), r.y.mutable_data<T>(), algorithm);
  convolution_forward<T>(s, x.data<T>(), w.data<T>(), nullptr, r.y_without_bias.mutable_data<T>(), algorithm);
  convolution_forward(s, x.data<T>(), w.data<T>(), b.data<T>(), r.y_relu.mutable_data<T>(), algorithm,
                      {.on = true});
  convolution_input_gradient(s, dy.data<T>(), w.data<T>(), r.dx.mutable_data<T>(), algorithm);
  convolution_weight_gradient(s, x.data<T>(), dy.data<T>(), r.dw.mutable_data<T>(), algorithm);
  convolution_input_gradient(s, dy.data<T>(), w.data<T>(), r.dx_relu.mutable_data<T>(), algorithm, mask);
  convolution_weight_gradient(s, x.data<T>(), dy.data<T>(), r.dw_relu.mutable_data<T>(), algorithm, mask);
  return r;
}

double largest(const Tensor& t) {
  double most = 0;
  for (const double v : t.to_vector()) most = std::max(most, std::abs(v));
  return most;
}

// The largest difference relative to the largest number.
double error(const Tensor& fast, const Tensor& exact) {
  return largest_difference(fast.to(float64), exact) / std::max(largest(exact), 1e-30);
}

}  // namespace

TEST_CASE("Winograd's convolutions agree with the plain one") {
  for (const Case& c : kCases) {
    CAPTURE(&c - kCases);
    const Results exact = compute<double>(c.shape()), fast = compute<float>(c.shape());
    CHECK(error(fast.y, exact.y) < 4e-6);
    CHECK(error(fast.y_without_bias, exact.y_without_bias) < 4e-6);
    CHECK(error(fast.y_relu, exact.y_relu) < 4e-6);
    CHECK(error(fast.dx, exact.dx) < 4e-6);
    CHECK(error(fast.dw, exact.dw) < 4e-6);
    CHECK(error(fast.dx_relu, exact.dx_relu) < 4e-6);
    CHECK(error(fast.dw_relu, exact.dw_relu) < 4e-6);
  }
}

TEST_CASE("errors stay small in the layers of a style network") {
  for (const Case& c :
       {Case{1, 128, 128, 64, 1, kReflect}, Case{1, 64, 64, {128, 100}, 1}, Case{2, 256, 288, {32, 24}, 1}}) {
    CAPTURE(&c.in_channels);
    const ConvolutionShape s = c.shape();
    const Tensor x = normal({s.batch, s.in_channels, s.in.height, s.in.width}, 1);
    const Tensor w = normal({s.out_channels, s.in_channels, 3, 3}, 2);
    const Tensor dy = normal({s.batch, s.out_channels, s.out.height, s.out.width}, 4);
    const auto results = [&]<class T>(ConvolutionAlgorithm algorithm) {
      const Tensor tx = x.to(dtype_of<T>), tw = w.to(dtype_of<T>), tdy = dy.to(dtype_of<T>);
      Tensor y = Tensor::empty(dy.shape(), dtype_of<T>), dx = Tensor::empty(x.shape(), dtype_of<T>);
      Tensor dw = Tensor::empty(w.shape(), dtype_of<T>);
      convolution_forward<T>(s, tx.data<T>(), tw.data<T>(), nullptr, y.mutable_data<T>(), algorithm);
      convolution_input_gradient(s, tdy.data<T>(), tw.data<T>(), dx.mutable_data<T>(), algorithm);
      convolution_weight_gradient(s, tx.data<T>(), tdy.data<T>(), dw.mutable_data<T>(), algorithm);
      return std::vector{y, dx, dw};
    };
    const auto exact = results.operator()<double>(ConvolutionAlgorithm::automatic);
    const auto fast = results.operator()<float>(ConvolutionAlgorithm::winograd);
    for (std::size_t i = 0; i < exact.size(); ++i) {
      CAPTURE(i);
      CHECK(error(fast[i], exact[i]) < 4e-6);
    }
  }
}

TEST_CASE("Winograd's results do not depend on the number of threads") {
  const int before = num_threads();
  for (const Case& c : kCases) {
    CAPTURE(&c - kCases);
    set_num_threads(1);
    const Results one = compute<float>(c.shape());
    for (const int threads : {2, 3}) {
      set_num_threads(threads);
      const Results many = compute<float>(c.shape());
      CHECK(identical(one.y, many.y));
      CHECK(identical(one.y_relu, many.y_relu));
      CHECK(identical(one.dx, many.dx));
      CHECK(identical(one.dx_relu, many.dx_relu));
      CHECK(identical(one.dw, many.dw));
      CHECK(identical(one.dw_relu, many.dw_relu));
    }
  }
  set_num_threads(before);
}

TEST_CASE("the relu of a convolution lets through what relu does, NaN included, and its mask says where") {
  for (const Case& c : {Case{2, 3, 5, {7, 9}, 1}, Case{1, 33, 18, {5, 70}, 1}}) {
    const ConvolutionShape s = c.shape();
    Tensor x = normal({s.batch, s.in_channels, s.in.height, s.in.width}, 1);
    x.mutable_data<float>()[0] = NAN;
    const Tensor w = normal({s.out_channels, s.in_channels, 3, 3}, 2);
    const Tensor ones = Tensor::ones({s.batch, s.out_channels, s.out.height, s.out.width});
    for (const ConvolutionAlgorithm algorithm :
         {ConvolutionAlgorithm::plain, ConvolutionAlgorithm::direct, ConvolutionAlgorithm::winograd}) {
      CAPTURE(static_cast<int>(algorithm));
      Tensor z = Tensor::empty(ones.shape()), y = z.clone(), open = z.clone();
      ReluMask mask(s.batch, s.out_channels, s.out);
      convolution_forward<float>(s, x.data<float>(), w.data<float>(), nullptr, z.mutable_data<float>(),
                                 algorithm);
      convolution_forward<float>(s, x.data<float>(), w.data<float>(), nullptr, y.mutable_data<float>(),
                                 algorithm, {true, &mask});
      apply_relu_mask(mask, ones.data<float>(), open.mutable_data<float>());
      int nans = 0, wrong = 0;
      for (Index i = 0; i < z.numel(); ++i) {
        const float before = z.data<float>()[i], after = y.data<float>()[i];
        nans += std::isnan(after);
        wrong += std::isnan(before) ? !std::isnan(after) : after != std::max(before, 0.0f);
        wrong += open.data<float>()[i] != (before > 0 ? 1 : 0);
      }
      CHECK(wrong == 0);
      CHECK(nans > 0);
    }
  }
}

TEST_CASE("results so large that they are written past the caches are those of small ones") {
  const ConvolutionShape s = Case{4, 3, 64, 128, 1}.shape();  // y has 16 MiB
  const Tensor x = normal({s.batch, s.in_channels, 128, 128}, 1), w = normal({s.out_channels, 3, 3, 3}, 2);
  Tensor y = Tensor::empty({s.batch, s.out_channels, 128, 128}), alone = Tensor::empty({1, 64, 128, 128});
  const auto forward = [&](const ConvolutionShape& shape, const float* from, Tensor& to) {
    convolution_forward<float>(shape, from, w.data<float>(), nullptr, to.mutable_data<float>(),
                               ConvolutionAlgorithm::winograd, {.on = true});
  };
  forward(s, x.data<float>(), y);
  ConvolutionShape one = s;
  one.batch = 1;
  for (Index n = 0; n < s.batch; ++n) {
    forward(one, x.data<float>() + n * s.in_channels * s.in_pixels(), alone);
    CHECK(std::equal(alone.data<float>(), alone.data<float>() + alone.numel(),
                     y.data<float>() + n * alone.numel()));
  }
}

TEST_CASE("Winograd's algorithm is chosen for float32 where channels are many, and never for float64") {
  const auto chosen = []<class T>(const ConvolutionShape& s) {
    const Tensor x = normal({s.batch, s.in_channels, s.in.height, s.in.width}, 1).to(dtype_of<T>);
    const Tensor w =
        normal({s.out_channels, s.in_channels, s.kernel.height, s.kernel.width}, 2).to(dtype_of<T>);
    const auto result = [&](ConvolutionAlgorithm algorithm) {
      Tensor y = Tensor::empty({s.batch, s.out_channels, s.out.height, s.out.width}, dtype_of<T>);
      convolution_forward<T>(s, x.data<T>(), w.data<T>(), nullptr, y.mutable_data<T>(), algorithm);
      return y;
    };
    const Tensor automatic = result(ConvolutionAlgorithm::automatic);
    if constexpr (std::is_same_v<T, double>) {
      return !identical(automatic, result(ConvolutionAlgorithm::direct));
    } else {
      return identical(automatic, result(ConvolutionAlgorithm::winograd));
    }
  };
  CHECK(chosen.operator()<float>(Case{1, 64, 64, 32, 1}.shape()));
  CHECK(!chosen.operator()<float>(Case{1, 3, 64, 32, 1}.shape()));
  CHECK(!chosen.operator()<float>(Case{1, 256, 256, 3, 1}.shape()));  // more weights than pixels
  CHECK(!chosen.operator()<double>(Case{1, 64, 64, 32, 1}.shape()));
}

TEST_CASE("Winograd's algorithm refuses what it cannot compute, and says why") {
  ConvolutionShape s = Case{1, 2, 2, 8, 1}.shape();
  s.stride = 2;
  s.out = convolution_output_size(s.in, s.kernel, s.stride, s.padding, s.dilation);
  const Tensor x = normal({1, 2, 8, 8}, 1), w = normal({2, 2, 3, 3}, 2);
  Tensor y = Tensor::empty({1, 2, 4, 4});
  CHECK_THROWS_WITH_AS(
      convolution_forward<float>(s, x.data<float>(), w.data<float>(), nullptr, y.mutable_data<float>(),
                                 ConvolutionAlgorithm::winograd),
      doctest::Contains("\"winograd\" is for float32, stride 1, dilation 1 and one group; this is float32, "
                        "stride 2x2"),
      ArgumentError);
  const ConvolutionShape good = Case{1, 1, 1, 1, 1}.shape();
  const double number = 1, weight[9] = {};
  double result;
  CHECK_THROWS_WITH_AS(
      convolution_forward<double>(good, &number, weight, nullptr, &result, ConvolutionAlgorithm::winograd),
      doctest::Contains("this is float64"), ArgumentError);
}
