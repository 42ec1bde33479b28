// A convolution of an enlarged picture in one operation, held to the two that define it.
#include "gesso/autograd/upsampled_convolution.h"
#include "gesso/autograd/upsampling.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

struct Case {
  Shape x;
  Index out;
};

const Case kCases[] = {
    {{1, 1, 1, 1}, 1},
    {{2, 3, 1, 5}, 2},
    {{1, 2, 4, 3}, 3},
    {{2, 3, 5, 6}, 2},
};
const PaddingMode kModes[] = {PaddingMode::zeros, PaddingMode::reflect, PaddingMode::replicate};

Tensor defined(const Tensor& x, const Tensor& w, const Tensor& b, PaddingMode mode) {
  return conv2d(upsample_nearest2d(x, 2), w, b, {.padding = 1, .padding_mode = mode});
}

}  // namespace

TEST_CASE(
    "an upsampled convolution is that of the large picture, with every padding, and has its gradients") {
  for (const Case& c : kCases) {
    for (const PaddingMode mode : kModes) {
      CAPTURE(c.x.str());
      CAPTURE(name_of(mode));
      const Tensor x = random_input(c.x), w = random_input({c.out, c.x[1], 3, 3}), b = random_input({c.out});
      CHECK(largest_difference(upsample_conv2d(x, w, b, mode), defined(x, w, b, mode)) < 1e-13);
      CHECK(largest_difference(upsample_conv2d(x, w, {}, mode), defined(x, w, {}, mode)) < 1e-13);
      check_gradients([&](const auto& in) { return upsample_conv2d(in[0], in[1], in[2], mode); }, {x, w, b});
    }
  }
}

TEST_CASE(
    "in float32, where Winograd's algorithm leaves out products with zeros, it is the same up to rounding") {
  Generator rng(5);
  // Panels of one phase, of two, and of parts of phases.
  for (const Index out : {64, 32, 16, 20}) {
    for (const PaddingMode mode : kModes) {
      CAPTURE(out);
      Tensor x = Tensor::randn({2, 48, 13, 18}, rng), w = Tensor::randn({out, 48, 3, 3}, rng);
      const Tensor b = Tensor::randn({out}, rng);
      x.requires_grad_();
      w.requires_grad_();
      const Tensor y = upsample_conv2d(x, w, b, mode);
      const Tensor upstream = Tensor::randn(y.shape(), rng);
      y.backward(upstream);
      const Tensor wide_x = x.detach().to(float64).requires_grad_(),
                   wide_w = w.detach().to(float64).requires_grad_();
      const Tensor expected = defined(wide_x, wide_w, b.to(float64), mode);
      expected.backward(upstream.to(float64));
      CHECK(largest_difference(y.to(float64), expected) < 4e-4);
      CHECK(largest_difference(x.grad().to(float64), wide_x.grad()) < 1e-3);
      CHECK(largest_difference(w.grad().to(float64), wide_w.grad()) < 2e-3);
    }
  }
}

TEST_CASE("what an upsampled convolution cannot take is named") {
  Generator rng(1);
  const Tensor x = Tensor::randn({1, 2, 4, 4}, rng), w = Tensor::randn({3, 2, 3, 3}, rng);
  CHECK_THROWS_WITH_AS(upsample_conv2d(x, Tensor::randn({3, 2, 5, 5}, rng)),
                       doctest::Contains("conv2d after upsample_nearest2d"), ArgumentError);
  CHECK_THROWS_WITH_AS(upsample_conv2d(x, w, Tensor::zeros({2})),
                       doctest::Contains("bias must have shape (3)"), ArgumentError);
  CHECK_THROWS_WITH_AS(upsample_conv2d(Tensor::randn({2, 4, 4}, rng), w), doctest::Contains("(N, C, H, W)"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(upsample_conv2d(Tensor::randn({1, 5, 4, 4}, rng), w),
                       doctest::Contains("has 5 channels"), ArgumentError);
  CHECK_THROWS_WITH_AS(join_phases(x), doctest::Contains("(N, 4 C, H, W)"), ArgumentError);
}
