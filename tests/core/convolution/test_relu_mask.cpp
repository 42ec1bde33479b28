// The mask of a relu: which bit stands for which number, and where its memory comes from and goes to.
#include "gesso/core/convolution/relu_mask.h"

#include <algorithm>

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
