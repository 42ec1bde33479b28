// The mask of a relu: which bit stands for which number, and where its memory comes from and goes to.
#include "gesso/core/convolution/relu_mask.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "gesso/core/memory/memory_pool.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

// 2 pictures of 3 channels, 5 x 2: neither channels nor rows fill a byte.
const ConvolutionShape kShape{.batch = 2, .out_channels = 3, .out = {5, 2}};

Tensor numbers() {
  Generator rng(1);
  return Tensor::randn({2, 3, 5, 2}, rng);
}

}  // namespace

TEST_CASE("a bit of a relu mask is set where the relu was open") {
  const Tensor z = numbers();
  Tensor y = z.clone();
  ReluMask mask(2, 3, {5, 2});
  apply_relu({true, &mask}, kShape, y.mutable_data<float>());
  const ReluMask& bits = mask;
  for (Index n = 0; n < 2; ++n) {
    for (Index c = 0; c < 3; ++c) {
      for (Index i = 0; i < 5; ++i) {
        for (Index j = 0; j < 2; ++j) {
          const int byte = bits.rows(n, c / 2)[i / 4 * 2 + j], bit = 1 << (c % 2 * 4 + i % 4);
          CHECK(((byte & bit) != 0) == (z.at({n, c, i, j}) > 0));
          CHECK(y.at({n, c, i, j}) == std::max(z.at({n, c, i, j}), 0.0));
        }
      }
    }
  }
}

TEST_CASE("a gradient passes where the mask is set, and everywhere without one") {
  Tensor z = numbers();
  ReluMask mask(2, 3, {5, 2});
  apply_relu({true, &mask}, kShape, z.mutable_data<float>());
  const Tensor dy = Tensor::ones(z.shape());
  const MaskedGradient<float> through(mask, dy.data<float>()), all(ReluMask(), dy.data<float>());
  CHECK(all.data() == dy.data<float>());
  for (Index i = 0; i < dy.numel(); ++i) CHECK(through[i] == (z.data<float>()[i] > 0 ? 1 : 0));
}

TEST_CASE("rows of more and of fewer columns than a register, zeros and NaN among them") {
  for (const Index width : {1, 3, 16, 21, 37}) {
    CAPTURE(width);
    Generator rng(2);
    Tensor z = Tensor::randn({1, 3, 6, width}, rng);
    z.set({0, 0, 0, 0}, 0);
    z.set({0, 1, 5, width - 1}, std::numeric_limits<double>::quiet_NaN());
    ReluMask mask(1, 3, {6, width});
    Tensor y = z.clone(), without_mask = z.clone();
    apply_relu({true, &mask}, {.batch = 1, .out_channels = 3, .out = {6, width}}, y.mutable_data<float>());
    apply_relu({true, nullptr}, {.batch = 1, .out_channels = 3, .out = {6, width}},
               without_mask.mutable_data<float>());
    const Tensor dy = Tensor::randn(z.shape(), rng);
    Tensor dz = Tensor::empty(dy.shape());
    apply_relu_mask(mask, dy.data<float>(), dz.mutable_data<float>());
    for (Index i = 0; i < z.numel(); ++i) {
      const float number = z.data<float>()[i];
      CHECK(dz.data<float>()[i] == (number <= 0 ? 0 : dy.data<float>()[i]));
      for (const Tensor& result : {y, without_mask}) {
        const float value = result.data<float>()[i];
        CHECK((std::isnan(number) ? std::isnan(value) : value == std::max(number, 0.0f)));
      }
    }
    // Some pixels of the second channel, from the middle of a row on.
    const Index begin = width / 2 + width, count = 3 * width;
    std::vector<float> some(static_cast<std::size_t>(count));
    mask_pixels(mask, 0, 1, begin, count, dy.data<float>() + 6 * width, some.data());
    CHECK(std::equal(some.begin(), some.end(), dz.data<float>() + 6 * width + begin));
  }
}

TEST_CASE("a relu that is off changes neither numbers nor mask") {
  Tensor y = numbers();
  ReluMask mask(2, 3, {5, 2});
  *mask.rows(0, 0) = 77;
  apply_relu({false, &mask}, kShape, y.mutable_data<float>());
  CHECK(identical(y, numbers()));
  CHECK(*mask.rows(0, 0) == 77);
}

TEST_CASE("copies of a mask share its bytes, which are the pool's") {
  CHECK(!ReluMask().defined());
  const std::size_t before = memory_stats().current_bytes;
  {
    ReluMask mask(4, 6, {64, 64}), copy = mask;
    CHECK(mask.defined());
    CHECK(copy.rows(1, 2) == mask.rows(1, 2));
    const std::size_t bytes = 4 * 6 * 64 * 64 / 8;  // a bit for each number
    CHECK(memory_stats().current_bytes - before >= bytes);
    CHECK(memory_stats().current_bytes - before < 2 * bytes);
  }
  CHECK(memory_stats().current_bytes == before);
}
