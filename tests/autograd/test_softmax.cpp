// softmax and log_softmax: against PyTorch, their gradients, far numbers.
#include "gesso/autograd/softmax.h"

#include <cmath>

#include "golden_operations.h"

using namespace gesso;
using namespace gesso::testing;

TEST_CASE("softmax and log_softmax are PyTorch's") {
  check_against_torch("softmax_first", [](const auto& in) { return softmax(in[0], 0); });
  check_against_torch("softmax_middle", [](const auto& in) { return softmax(in[0], 1); });
  check_against_torch("softmax_last", [](const auto& in) { return softmax(in[0], -1); });
  check_against_torch("log_softmax", [](const auto& in) { return log_softmax(in[0], 1); });
}

TEST_CASE("gradients of softmax over every dimension of odd shapes") {
  for (const Shape& shape : {Shape{1}, {1, 1}, {1, 7}, {7, 1}, {3, 5, 2}, {2, 1, 3, 2}, {0, 3}, {3, 0}}) {
    for (int dim = -shape.rank(); dim < shape.rank(); ++dim) {
      CAPTURE(shape.str());
      CAPTURE(dim);
      if (shape.numel() == 0) {
        CHECK(softmax(Tensor::zeros(shape), dim).shape() == shape);
        continue;
      }
      const Tensor x = random_input(shape);
      check_gradients([&](const auto& in) { return softmax(in[0], dim); }, {x});
      check_gradients([&](const auto& in) { return log_softmax(in[0], dim); }, {x});
    }
  }
}

TEST_CASE("nothing overflows, and NaN stays where it is") {
  const Tensor far = Tensor::from({1000, 0, -1000, 1, 1, NAN}, {2, 3});
  const Tensor y = softmax(far, 1), z = log_softmax(far, 1);
  CHECK(y(0, 0) == 1);
  CHECK(y(0, 2) == 0);
  CHECK(z(0, 2) == -2000);
  CHECK(std::isnan(y(1, 0)));
  CHECK_THROWS_WITH_AS(softmax(far, 2),
                       doctest::Contains("softmax: dimension 2 is out of range for shape (2, 3)"),
                       ArgumentError);
  CHECK_THROWS_AS(log_softmax(Tensor::scalar(1), 0), ArgumentError);
}
