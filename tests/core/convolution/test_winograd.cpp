// Winograd's convolutions against the plain kernel in float64, over shapes that fill no block; relu and its
// mask; independence of the thread count; where the algorithm is chosen and where it is refused.
#include <algorithm>
#include <cmath>

#include "convolution_results.h"
#include "gesso/core/convolution/convolution.h"
#include "gesso/core/convolution/relu_mask.h"
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
    {3, 130, 253, {1, 350}, 1},
    // many weights and more tiles than one part has
    {129, 260, 510, {1, 5}, 1},
    // gradients to weights in three parts of the tiles, for fewer and for more threads
    {2, 66, 70, {66, 66}, 1},
    // what the padding shows
    {2, 3, 5, {6, 7}, 1, kReflect},
    {1, 17, 4, {5, 66}, {2, 1}, kReflect},
    {1, 2, 3, {5, 4}, {4, 3}, kReflect},
    {2, 3, 5, {6, 7}, {1, 3}, kReplicate},
    {1, 3, 5, {1, 1}, 2, kReplicate},
};

Tensor normal(const Shape& shape, std::uint64_t seed) { return normal_numbers<float>(shape, seed); }

}  // namespace

TEST_CASE("Winograd's convolutions agree with the plain one") {
  for (const Case& c : kCases) {
    CAPTURE(&c - kCases);
    const ConvolutionShape s = c.shape();
    // Where the plain one takes long, the direct one in float64 stands for it.
    const bool small = s.batch * s.out_channels * s.out_pixels() * s.fan_in() < 5e6;
    const auto exact = small ? ConvolutionAlgorithm::plain : ConvolutionAlgorithm::direct;
    check_close(convolution_results<float>(s, ConvolutionAlgorithm::winograd),
                convolution_results<double>(s, exact), 4e-6);
  }
}

TEST_CASE("errors stay small in the layers of a style network") {
  for (const Case& c :
       {Case{1, 128, 128, 64, 1, kReflect}, Case{1, 64, 64, {128, 100}, 1}, Case{2, 256, 288, {32, 24}, 1}}) {
    CAPTURE(&c.in_channels);
    check_close(convolution_results<float>(c.shape(), ConvolutionAlgorithm::winograd),
                convolution_results<double>(c.shape(), ConvolutionAlgorithm::automatic), 4e-6);
  }
}

TEST_CASE("Winograd's results do not depend on the number of threads") {
  for (const Case& c : kCases) {
    CAPTURE(&c - kCases);
    check_any_number_of_threads<float>(c.shape(), ConvolutionAlgorithm::winograd);
  }
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
        wrong += open.data<float>()[i] != (before <= 0 ? 0 : 1);
      }
      CHECK(wrong == 0);
      CHECK(nans > 0);
    }
  }
}

TEST_CASE("results so large that they are written past the caches equal those of small ones") {
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
    const Tensor y = convolution_results<T>(s, ConvolutionAlgorithm::automatic).y;
    if constexpr (std::is_same_v<T, double>) {
      return !identical(y, convolution_results<T>(s, ConvolutionAlgorithm::direct).y);
    } else {
      return identical(y, convolution_results<T>(s, ConvolutionAlgorithm::winograd).y);
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

TEST_CASE("a pixel that is not finite, or huge, stays in its window, and with Winograd in its tiles") {
  const ConvolutionShape s = Case{1, 16, 16, {20, 24}, 1}.shape();
  const Index row = 9, column = 13;
  const Tensor w = Tensor::ones({16, 16, 3, 3});
  const auto results = [&](float pixel, ConvolutionAlgorithm algorithm) {
    Tensor x = Tensor::zeros({1, 16, 20, 24}), y = Tensor::empty({1, 16, 20, 24});
    x.set({0, 3, row, column}, pixel);
    convolution_forward<float>(s, x.data<float>(), w.data<float>(), nullptr, y.mutable_data<float>(),
                               algorithm);
    return y;
  };
  const auto in_window = [&](Index i, Index j) {
    return std::abs(i - row) <= 1 && std::abs(j - column) <= 1;
  };
  // Tiles begin at multiples of 4 and see one pixel beyond each side.
  const auto in_tile = [&](Index i, Index j) {
    const Index top = i / 4 * 4, left = j / 4 * 4;
    return row >= top - 1 && row <= top + 4 && column >= left - 1 && column <= left + 4;
  };
  const float inf = std::numeric_limits<float>::infinity();
  for (const ConvolutionAlgorithm algorithm :
       {ConvolutionAlgorithm::plain, ConvolutionAlgorithm::direct, ConvolutionAlgorithm::winograd}) {
    CAPTURE(static_cast<int>(algorithm));
    const bool tiles = algorithm == ConvolutionAlgorithm::winograd;
    const Tensor infinite = results(inf, algorithm), large = results(1e4F, algorithm);
    int wrong = 0;
    for (Index c = 0; c < 16; ++c) {
      for (Index i = 0; i < 20; ++i) {
        for (Index j = 0; j < 24; ++j) {
          const double a = infinite.at({0, c, i, j}), b = large.at({0, c, i, j});
          const double expected = in_window(i, j) ? 1e4 : 0;
          if (tiles) {
            wrong += in_tile(i, j) ? std::isfinite(a) : a != 0;
            wrong += !(std::abs(b - expected) <= (in_tile(i, j) ? 3e-6 * 1e4 : 0));
          } else {
            wrong += a != (in_window(i, j) ? inf : 0);
            wrong += b != expected;
          }
        }
      }
    }
    CHECK(wrong == 0);
  }
}
