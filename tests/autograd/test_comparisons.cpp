// Comparisons, maximum and minimum, where: against PyTorch, gradients, NaN.
#include "gesso/autograd/comparisons.h"

#include <cmath>

#include "golden_operations.h"

using namespace gesso;
using namespace gesso::testing;

TEST_CASE("comparisons give 1 and 0, and broadcast") {
  const Tensor a = Tensor::from({1, 2, NAN}), b = Tensor::from({2, 2, 2});
  using Numbers = std::vector<double>;
  CHECK(eq(a, b).to_vector() == Numbers{0, 1, 0});
  CHECK(ne(a, b).to_vector() == Numbers{1, 0, 1});
  CHECK(lt(a, b).to_vector() == Numbers{1, 0, 0});
  CHECK(le(a, b).to_vector() == Numbers{1, 1, 0});
  CHECK(gt(b, a).to_vector() == Numbers{1, 0, 0});
  CHECK(ge(b, a).to_vector() == Numbers{1, 1, 0});
  CHECK(gt(a, 1).to_vector() == Numbers{0, 1, 0});
  CHECK(le(a, 1).to_vector() == Numbers{1, 0, 0});
  CHECK(lt(Tensor::zeros({2, 1}), Tensor::from({-1, 0, 1})).shape() == Shape{2, 3});
  CHECK_FALSE(gt(random_input({2}), 0).requires_grad());
  CHECK_THROWS_WITH_AS(eq(a, Tensor::zeros({2})), doctest::Contains("eq: "), ArgumentError);
  CHECK_THROWS_AS(eq(a, Tensor::zeros({3}, float64)), ArgumentError);
}

TEST_CASE("maximum, minimum and where are PyTorch's, ties too") {
  check_against_torch("maximum", [](const auto& in) { return maximum(in[0], in[1]); });
  check_against_torch("minimum", [](const auto& in) { return minimum(in[0], in[1]); });
  check_against_torch("where", [](const auto& in) { return where(in[0], in[1], in[2]); });
}

TEST_CASE("gradients over shapes that broadcast") {
  const std::vector<std::pair<Shape, Shape>> pairs = {
      {{}, {}}, {{1, 1}, {1}}, {{3, 1}, {1, 4}}, {{2, 3, 2}, {3, 1}}, {{}, {2, 2}}, {{0, 3}, {1, 3}}};
  for (const auto& [left, right] : pairs) {
    CAPTURE(left.str());
    const Tensor a = random_input(left, 1), b = random_input(right, 2);
    if (left.numel() == 0) {
      CHECK(maximum(a, b).shape() == left);
      continue;
    }
    check_gradients([](const auto& in) { return maximum(in[0], in[1]); }, {a, b});
    check_gradients([](const auto& in) { return minimum(in[0], in[1]); }, {a, b});
    const Tensor condition = gt(random_input({2, 1, 1}, 3), 0).to(float32);
    check_gradients([&](const auto& in) { return where(condition, in[0], in[1]); }, {a, b});
  }
}

TEST_CASE("NaN is the maximum; what was not taken gets a gradient of 0") {
  Tensor a = Tensor::from({NAN, 1}).requires_grad_(), b = Tensor::from({1, NAN}).requires_grad_();
  const Tensor y = maximum(a, b);
  CHECK(std::isnan(y(0)));
  CHECK(std::isnan(y(1)));
  const Tensor taken = where(Tensor::from({0, 1}), a, b);
  CHECK(taken.to_vector() == std::vector<double>{1, 1});
  taken.backward(Tensor::from({INFINITY, 5}));
  CHECK(a.grad().to_vector() == std::vector<double>{0, 5});
  CHECK(b.grad().to_vector() == std::vector<double>{INFINITY, 0});
  CHECK_THROWS_WITH_AS(where(Tensor::zeros({2}), a, Tensor::zeros({3})), doctest::Contains("where: "),
                       ArgumentError);
}
