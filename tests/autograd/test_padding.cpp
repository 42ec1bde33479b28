// Padding: the three modes against their definition, gradients, and errors.
#include <algorithm>

#include "gesso/autograd/padding.h"

#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

constexpr PaddingMode kModes[] = {PaddingMode::zeros, PaddingMode::reflect, PaddingMode::replicate};

// What position k of an infinitely padded row of `size` shows; false for a zero.
bool shown(PaddingMode mode, Index size, Index& k) {
  if (mode == PaddingMode::zeros) {
    return 0 <= k && k < size;
  }
  if (mode == PaddingMode::reflect) {
    k = k < 0 ? -k : k;
    k = k >= size ? 2 * size - 2 - k : k;
  } else {
    k = std::min(std::max<Index>(k, 0), size - 1);
  }
  return true;
}

}  // namespace

TEST_CASE("a row is padded as the manual says") {
  const Tensor row = Tensor::from({1, 2, 3, 4}, {1, 4});
  const Padding2d two(2, 2, 0, 0);
  CHECK(pad2d(row, two).to_vector() == std::vector<double>{0, 0, 1, 2, 3, 4, 0, 0});
  CHECK(reflection_pad2d(row, two).to_vector() == std::vector<double>{3, 2, 1, 2, 3, 4, 3, 2});
  CHECK(pad2d(row, two, PaddingMode::replicate).to_vector() == std::vector<double>{1, 1, 1, 2, 3, 4, 4, 4});
}

TEST_CASE("every padded pixel shows what the mode says, and gradients flow back to it") {
  struct Case {
    Shape shape;
    Padding2d padding;
  };
  const Case cases[] = {{{2, 3, 4, 5}, 1},         {{1, 1, 3, 7}, {6, 2, 1, 2}},
                        {{2, 5, 2}, {0, 1, 4, 0}}, {{4, 6}, {3, 0, 0, 2}},
                        {{3, 1, 1, 1}, 0},         {{1, 2, 1, 4}, {3, 3, 0, 0}}};
  for (const PaddingMode mode : kModes) {
    for (const auto& [shape, padding] : cases) {
      CAPTURE(name_of(mode));
      CAPTURE(shape.str());
      const Tensor x = random_input(shape);
      const Tensor y = pad2d(x, padding, mode);
      const Index h = shape[-2], w = shape[-1];
      REQUIRE(y.size(-2) == padding.top + h + padding.bottom);
      REQUIRE(y.size(-1) == padding.left + w + padding.right);
      for (Index i = 0; i < y.numel(); ++i) {
        Index column = i % y.size(-1) - padding.left;
        Index row = i / y.size(-1) % y.size(-2) - padding.top;
        const Index plane = i / y.size(-1) / y.size(-2);
        const bool inside = shown(mode, w, column) && shown(mode, h, row);
        CHECK(y.data<double>()[i] == (inside ? x.data<double>()[(plane * h + row) * w + column] : 0));
      }
      const Tensor y32 = pad2d(x.detach().to(float32), padding, mode);
      CHECK(largest_difference(y32, y) < 1e-6);
      check_gradients([&, p = padding](const auto& in) { return pad2d(in[0], p, mode); }, {x});
    }
  }
}

TEST_CASE("replicate and zeros pad a single pixel as far as wanted") {
  const Tensor x = random_input({2, 1, 1});
  for (const PaddingMode mode : {PaddingMode::zeros, PaddingMode::replicate}) {
    check_gradients([&](const auto& in) { return pad2d(in[0], {2, 1, 0, 3}, mode); }, {x});
  }
}

TEST_CASE("padding that cannot be is named") {
  const Tensor x = Tensor::zeros({1, 2, 4, 3});
  CHECK_NOTHROW(reflection_pad2d(x, {2, 2, 3, 3}));
  CHECK_THROWS_WITH_AS(
      reflection_pad2d(x, 3),
      doctest::Contains("pad2d: reflect padding of 3 at the left needs a picture of width at "
                        "least 4; x has shape (1, 2, 4, 3)"),
      ArgumentError);
  CHECK_THROWS_WITH_AS(reflection_pad2d(x, {0, 0, 0, 4}), doctest::Contains("at the bottom needs"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(pad2d(x, {0, 0, -1, 0}), doctest::Contains("padding -1 at the top"), ArgumentError);
  CHECK_THROWS_WITH_AS(pad2d(Tensor::zeros({4}), 1), doctest::Contains("shape (4)"), ArgumentError);
  CHECK_THROWS_WITH_AS(pad2d(Tensor::zeros({2, 0}), 1, PaddingMode::replicate),
                       doctest::Contains("no pixel to repeat"), ArgumentError);
  CHECK_THROWS_AS(pad2d(Tensor(), 1), ArgumentError);
}
