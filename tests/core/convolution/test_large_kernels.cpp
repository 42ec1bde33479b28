// Winograd's convolutions with kernels other than 3 x 3, against the plain kernel in float64; independence of the
// thread count; where they are chosen.
#include <algorithm>
#include <cmath>

#include "gesso/core/convolution/convolution.h"
#include "gesso/core/parallel.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

struct Case {
  Index batch, in_channels, out_channels;
  Size2d in, kernel, padding;
  PaddingMode mode = PaddingMode::zeros;

  ConvolutionShape shape() const {
    ConvolutionShape s{.batch = batch,
                       .in_channels = in_channels,
                       .out_channels = out_channels,
                       .in = in,
                       .kernel = kernel,
                       .padding = padding,
                       .padding_mode = mode};
    s.out = convolution_output_size(in, s.kernel, s.stride, padding, s.dilation);
    return s;
  }
};

// Each with few channels in and few out: copies are made of the side that has fewer.
const Case kCases[] = {
    {1, 1, 1, 1, 1, 0},
    {1, 2, 1, 1, 9, 4},
    {2, 1, 2, {1, 9}, {1, 4}, {0, 3}},
    {2, 2, 3, {7, 5}, {2, 3}, {0, 1}},
    {1, 3, 2, {9, 10}, {4, 7}, 0},
    {1, 2, 5, {12, 9}, {9, 6}, {5, 2}},
    {2, 3, 17, {21, 13}, 9, 4},
    {2, 17, 3, {13, 21}, 9, 4},
    {1, 3, 2, {6, 7}, {3, 4}, 7},
    {2, 1, 2, {9, 5}, 9, 4, PaddingMode::reflect},
    {1, 3, 16, {23, 37}, 9, 4, PaddingMode::reflect},
    {2, 16, 3, {19, 34}, 9, 4, PaddingMode::reflect},
    {1, 2, 3, {4, 6}, 5, {3, 2}, PaddingMode::reflect},
    {2, 3, 2, {2, 5}, {6, 5}, {7, 2}, PaddingMode::replicate},
};

struct Results {
  Tensor y, y_without_bias, y_relu, dx, dw;
};

template <class T>
Results compute(const ConvolutionShape& s, ConvolutionAlgorithm algorithm) {
  const auto normal = [](const Shape& shape, std::uint64_t seed) {
    Generator rng(seed);
    return Tensor::randn(shape, rng).to(dtype_of<T>);
  };
  const auto garbage = [](const Tensor& like) { return Tensor::full(like.shape(), NAN, dtype_of<T>); };
  const Tensor x = normal({s.batch, s.in_channels, s.in.height, s.in.width}, 1);
  const Tensor w = normal({s.out_channels, s.in_channels, s.kernel.height, s.kernel.width}, 2);
  const Tensor b = normal({s.out_channels}, 3);
  const Tensor dy = normal({s.batch, s.out_channels, s.out.height, s.out.width}, 4);
  Results r{garbage(dy), garbage(dy), garbage(dy), garbage(x), garbage(w)};
  convolution_forward(s, x.data<T>(), w.data<T>(), b.data<T>(), r.y.mutable_data<T>(), algorithm);
  convolution_forward<T>(s, x.data<T>(), w.data<T>(), nullptr, r.y_without_bias.mutable_data<T>(), algorithm);
  convolution_forward(s, x.data<T>(), w.data<T>(), b.data<T>(), r.y_relu.mutable_data<T>(), algorithm,
                      {.on = true});
  convolution_input_gradient(s, dy.data<T>(), w.data<T>(), r.dx.mutable_data<T>(), algorithm);
  convolution_weight_gradient(s, x.data<T>(), dy.data<T>(), r.dw.mutable_data<T>(), algorithm);
  return r;
}

// The largest difference relative to the largest number.
double error(const Tensor& fast, const Tensor& exact) {
  double largest = 1e-30;
  for (const double v : exact.to_vector()) largest = std::max(largest, std::abs(v));
  return largest_difference(fast.to(float64), exact) / largest;
}

}  // namespace

TEST_CASE("large kernels as sums of 3 x 3 ones agree with the plain convolution") {
  for (const Case& c : kCases) {
    CAPTURE(&c - kCases);
    const Results exact = compute<double>(c.shape(), ConvolutionAlgorithm::plain);
    const Results fast = compute<float>(c.shape(), ConvolutionAlgorithm::winograd);
    CHECK(error(fast.y, exact.y) < 4e-6);
    CHECK(error(fast.y_without_bias, exact.y_without_bias) < 4e-6);
    CHECK(error(fast.y_relu, exact.y_relu) < 4e-6);
    CHECK(error(fast.dx, exact.dx) < 4e-6);
    CHECK(error(fast.dw, exact.dw) < 4e-6);
  }
}

TEST_CASE("large kernels give the same bits on every number of threads") {
  const int before = num_threads();
  for (const Case& c : kCases) {
    CAPTURE(&c - kCases);
    set_num_threads(1);
    const Results one = compute<float>(c.shape(), ConvolutionAlgorithm::winograd);
    for (const int threads : {2, 3}) {
      set_num_threads(threads);
      const Results many = compute<float>(c.shape(), ConvolutionAlgorithm::winograd);
      CHECK(identical(one.y, many.y));
      CHECK(identical(one.dx, many.dx));
      CHECK(identical(one.dw, many.dw));
    }
  }
  set_num_threads(before);
}

TEST_CASE("the 9x9 convolutions of a style network are Winograd's in float32, and no others") {
  const auto is_winograd = []<class T>(const Case& c) {
    const Results chosen = compute<T>(c.shape(), ConvolutionAlgorithm::automatic);
    const Results direct = compute<T>(c.shape(), ConvolutionAlgorithm::direct);
    const bool differ = !identical(chosen.y, direct.y);
    CHECK(differ == !identical(chosen.dx, direct.dx));
    CHECK(differ == !identical(chosen.dw, direct.dw));
    return differ;
  };
  CHECK(is_winograd.operator()<float>({1, 3, 16, 20, 9, 4, PaddingMode::reflect}));
  CHECK(is_winograd.operator()<float>({1, 32, 3, 20, 9, 4, PaddingMode::reflect}));
  CHECK(!is_winograd.operator()<double>({1, 3, 16, 20, 9, 4, PaddingMode::reflect}));
  CHECK(!is_winograd.operator()<float>({1, 1, 25, 20, 7, 3}));  // would be filled up to 9x9
  CHECK(!is_winograd.operator()<float>({1, 1, 16, 20, 9, 4}));  // transforms would outweigh the products
}
