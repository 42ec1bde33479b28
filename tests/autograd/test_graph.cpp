// What graph.h promises people who write an operation of their own.
#include "gesso/autograd/graph.h"

#include <cmath>

#include "gesso/autograd/elementwise.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

// a / b, both gradients from saved tensors; `skip` names an input whose gradient is forgotten.
Tensor quotient(const Tensor& a, const Tensor& b, int skip = -1) {
  Tensor y = zip_elements(a, b, [](auto u, auto v) { return u / v; });
  return record("quotient", y, {a, b},
                [b = save(b), y = save(y, needs_grad(b)), skip](const Tensor& dy, Gradients& d) {
                  if (skip != 0) {
                    d(0, [&] { return zip_elements(dy, b(), [](auto g, auto v) { return g / v; }); });
                  }
                  if (skip != 1) {
                    d(1, [&] { return map_elements(dy * y() / b(), [](auto v) { return -v; }); });
                  }
                });
}

}  // namespace

TEST_CASE("an operation of one's own passes gradcheck and works in both dtypes") {
  const Tensor a = random_input({2, 3}, 1), b = (random_input({2, 3}, 2).detach() + 4).requires_grad_();
  check_gradients([](const auto& in) { return quotient(in[0], in[1]); }, {a, b});
  check_gradients([](const auto& in) { return quotient(in[0], in[1]); }, {a, b.detach()});
  check_gradients([](const auto& in) { return quotient(in[0], in[1]); }, {a.detach(), b});
  CHECK(quotient(Tensor::from({3}), Tensor::from({4})).item() == 0.75);
}

TEST_CASE("map_elements and zip_elements compute element by element, outside the graph") {
  const Tensor x = random_input({3, 4});
  const Tensor y = map_elements(x, [](auto v) { return std::sin(v); });
  CHECK_FALSE(y.requires_grad());
  for (Index i = 0; i < x.numel(); ++i) {
    CHECK(y.data<double>()[i] == std::sin(x.data<double>()[i]));
  }
  CHECK(map_elements(Tensor::zeros({0, 2}), [](auto v) { return v; }).shape() == Shape{0, 2});
  CHECK_THROWS_AS(map_elements(Tensor(), [](auto v) { return v; }), ArgumentError);
  const auto plus = [](auto u, auto v) { return u + v; };
  CHECK(zip_elements(Tensor::from({1, 2}), Tensor::from({3, 4}), plus).to_vector() ==
        std::vector<double>{4, 6});
  CHECK_THROWS_WITH_AS(
      zip_elements(Tensor::ones({2}), Tensor::ones({3}), plus),
      "zip_elements: one tensor is float32 (2) and the other float32 (3); they must be alike", ArgumentError);
  CHECK_THROWS_AS(zip_elements(Tensor::ones({2}), Tensor::ones({2}, float64), plus), ArgumentError);
}

TEST_CASE("a gradient that a backward function does not set is missed, with operation and input") {
  const Tensor a = random_input({2}, 1), b = random_input({2}, 2);
  CHECK_THROWS_WITH_AS(
      quotient(a, b, 0).sum().backward(),
      "backward of quotient (2): its backward function set no gradient for input 0, of shape (2); set "
      "one, or leave the input out of record()",
      ArgumentError);
  CHECK_THROWS_WITH_AS(quotient(a, b, 1).sum().backward(), doctest::Contains("set no gradient for input 1"),
                       ArgumentError);
  CHECK_THROWS_AS(gradcheck([](const auto& in) { return quotient(in[0], in[1], 1); }, {a, b}), ArgumentError);
  CHECK_NOTHROW(quotient(a, b.detach(), 1).sum().backward());  // nobody wants it
}

TEST_CASE("a gradient for an input that the operation does not have is refused") {
  const Tensor x = random_input({2});
  const Tensor y = record("lonely", x.clone().detach(), {x}, [](const Tensor& dy, Gradients& d) {
    d(0, [&] { return dy; });
    d(1, [&] { return dy; });
  });
  CHECK_THROWS_WITH_AS(y.sum().backward(),
                       "backward of lonely (2): there is no input 1; the operation was recorded with 1",
                       ArgumentError);
}
