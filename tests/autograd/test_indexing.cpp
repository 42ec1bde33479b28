// flip and gather: against PyTorch, gradients, errors.
#include "gesso/autograd/indexing.h"

#include <cmath>

#include "golden_operations.h"

using namespace gesso;
using namespace gesso::testing;

TEST_CASE("flip and gather are PyTorch's") {
  check_against_torch("flip", [](const auto& in) { return flip(in[0], {0, 2}); });
  check_against_torch("gather", [](const auto& in) { return gather(in[0], 1, in[1]); });
}

TEST_CASE("gradients over odd shapes") {
  for (const Shape& shape : {Shape{1}, {1, 1}, {1, 7}, {3, 5, 2}, {2, 1, 3, 2}}) {
    CAPTURE(shape.str());
    const Tensor x = random_input(shape);
    check_gradients([&](const auto& in) { return flip(in[0], {-1}); }, {x});
    check_gradients([&](const auto& in) { return flip(in[0], {0}); }, {x});
    CHECK(identical(flip(flip(x, {0}), {0}), x));
    for (int dim = 0; dim < shape.rank(); ++dim) {
      Generator rng(4);
      Tensor index = Tensor::empty(shape.with(dim, 3));  // some twice, some never
      for (Index i = 0; i < index.numel(); ++i) {
        index.mutable_data<float>()[i] = static_cast<float>(rng.below(shape[dim]));
      }
      check_gradients([&](const auto& in) { return gather(in[0], dim, index); }, {x});
    }
  }
  CHECK(flip(Tensor::scalar(3), {}).item() == 3);
  CHECK(flip(Tensor::zeros({0, 2}), {1}).shape() == Shape{0, 2});
  CHECK(gather(Tensor::zeros({2, 3}), 1, Tensor::zeros({2, 0})).shape() == Shape{2, 0});
}

TEST_CASE("places that are none are named") {
  const Tensor x = Tensor::zeros({2, 3});
  CHECK_THROWS_WITH_AS(flip(x, {1, -1}), doctest::Contains("flip: dimension -1 is listed twice"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(flip(x, {2}), doctest::Contains("out of range"), ArgumentError);
  for (const double wrong : {-1.0, 3.0, 0.5, static_cast<double>(NAN)}) {
    CHECK_THROWS_WITH_AS(gather(x, 1, Tensor::full({2, 1}, wrong)),
                         doctest::Contains("it must hold whole numbers from 0 to 2"), ArgumentError);
  }
  CHECK_THROWS_WITH_AS(gather(x, 1, Tensor::zeros({3, 1})),
                       doctest::Contains("they may differ in dimension 1 only"), ArgumentError);
}
