// Operations that move elements: transpose, permute, concat, slice, and Tensor's reshape, slice, clone and
// to.
#include "gesso/autograd/shape_ops.h"

#include "gesso/autograd/elementwise.h"
#include "gesso/core/parallel.h"
#include "golden_operations.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

// The definition of permute: dimension d of the result is dimension order[d] of x.
Tensor permuted_by_loop(const Tensor& x, const std::vector<int>& order) {
  std::vector<Index> sizes;
  for (int d : order) sizes.push_back(x.size(d));
  const Shape shape(sizes);
  const std::vector<double> from = x.to_vector();
  std::vector<double> to(from.size());
  for (Index i = 0; i < shape.numel(); ++i) {
    Index rest = i, offset = 0;
    for (int d = shape.rank() - 1; d >= 0; --d) {
      offset += rest % shape[d] * x.shape().strides()[order[d]];
      rest /= shape[d];
    }
    to[i] = from[offset];
  }
  return Tensor::from(to, shape, x.dtype());
}

}  // namespace

TEST_CASE("x[i] is recorded") {
  check_gradients([](const auto& in) { return in[0][1] * in[0][-1]; }, {random_input({3, 2, 2})});
  check_gradients([](const auto& in) { return exp(in[0][2]); }, {random_input({3})});
}

TEST_CASE("permute moves every element to its place, in all orders and both dtypes") {
  const std::pair<Shape, std::vector<int>> cases[] = {
      {{}, {}},
      {{5}, {0}},
      {{3, 5}, {1, 0}},
      {{1, 7}, {1, 0}},
      {{33, 65}, {1, 0}},
      {{3, 1, 5}, {2, 1, 0}},
      {{2, 3, 4}, {0, 1, 2}},
      {{2, 3, 4}, {0, 2, 1}},
      {{2, 3, 4}, {1, 0, 2}},
      {{2, 3, 4}, {1, 2, 0}},
      {{2, 3, 4}, {2, 0, 1}},
      {{2, 37, 5, 35}, {0, 2, 3, 1}},
      {{2, 35, 33, 3}, {3, 1, 2, 0}},
      {{3, 70, 41}, {2, 0, 1}},
      {{2, 1, 3, 1, 2, 3}, {5, 3, 0, 1, 4, 2}},
      {{0, 3}, {1, 0}},
      {{130, 300, 7}, {1, 0, 2}},
  };
  for (const auto& [shape, order] : cases) {
    CAPTURE(shape.str());
    Generator rng(1);
    for (DType dtype : {float32, float64}) {
      const Tensor x = Tensor::randn(shape, rng, dtype);
      CHECK(identical(permute(x, order), permuted_by_loop(x, order)));
    }
  }
  for (const std::vector<int>& order :
       std::vector<std::vector<int>>{{0, 1, 2}, {2, 0, 1}, {1, 2, 0}, {-1, -3, 1}}) {
    check_gradients([&](const auto& in) { return permute(in[0], order); }, {random_input({2, 3, 4})});
  }
}

TEST_CASE("transpose exchanges two dimensions and is its own inverse") {
  const Tensor x = random_input({2, 3, 4, 5});
  CHECK(identical(transpose(x, 1, -1), permuted_by_loop(x, {0, 3, 2, 1})));
  CHECK(identical(transpose(transpose(x, 0, 2), 2, 0), x));
  CHECK(transpose(Tensor::zeros({2, 3}), 0, 1).shape() == Shape{3, 2});
  check_gradients([](const auto& in) { return transpose(in[0], 1, 3); }, {x});
  check_gradients([](const auto& in) { return transpose(in[0], -1, 0); }, {random_input({1, 7})});
  CHECK_THROWS_WITH_AS(transpose(x, 0, 4), doctest::Contains("transpose: dimension 4"), ArgumentError);
  CHECK_THROWS_AS(transpose(Tensor(), 0, 0), ArgumentError);
}

TEST_CASE("concat puts tensors side by side and slice takes them apart again") {
  for (int dim : {0, 1, 2, -1}) {
    CAPTURE(dim);
    std::vector<Tensor> parts;
    std::uint64_t seed = 1;
    for (Index size : {2, 1, 0, 3}) {
      parts.push_back(random_input(Shape{2, 3, 4}.with(dim, size), seed++));
    }
    const Tensor whole = concat(parts, dim);
    CHECK(whole.shape() == Shape{2, 3, 4}.with(dim, 6));
    Index begin = 0;
    for (const Tensor& part : parts) {
      CHECK(identical(slice(whole, dim, begin, begin + part.size(dim)), part));
      begin += part.size(dim);
    }
    check_gradients([&](const auto& in) { return concat(in, dim); }, parts);
    check_gradients([&](const auto& in) { return slice(in[0], dim, 1, 2); }, {random_input({2, 3, 4})});
  }
  const Tensor x = random_input({2, 3});
  check_gradients([](const auto& in) { return concat({in[0], in[0]}, 1); }, {x});  // one tensor, twice
  const Tensor y = Tensor::arange(12).reshape({3, 4});
  CHECK(slice(y, 1, 1, 3).to_vector() == std::vector<double>{1, 2, 5, 6, 9, 10});
  CHECK(slice(y, 0, 1, 3).shares_storage(y));
  CHECK(slice(y, 1, 2, 2).shape() == Shape{3, 0});
}

TEST_CASE("large copies do not depend on the number of threads") {
  Generator rng(2);
  const Tensor a = Tensor::randn({3, 70001}, rng), b = Tensor::randn({3, 513}, rng);
  const auto run = [&](int threads) {
    set_num_threads(threads);
    const Tensor c = concat({a, b, a}, 1);
    return std::vector<Tensor>{c, slice(c, 1, 69999, 70600), transpose(c, 0, 1)};
  };
  const int before = num_threads();
  const auto one = run(1), two = run(2), three = run(3);
  set_num_threads(before);
  for (int i = 0; i < 3; ++i) {
    CHECK(identical(one[i], two[i]));
    CHECK(identical(one[i], three[i]));
  }
  CHECK(identical(slice(one[0], 1, 70001, 70514), b));
}

TEST_CASE("reshape, slice, clone and to pass gradients back") {
  const Tensor x = random_input({4, 3, 2});
  check_gradients([](const auto& in) { return square(in[0].reshape({2, -1})); }, {x});
  check_gradients([](const auto& in) { return square(in[0].slice(1, 3)); }, {x});
  check_gradients([](const auto& in) { return in[0].slice(0, 2) * in[0].slice(2, 4); }, {x});
  check_gradients([](const auto& in) { return square(in[0].clone()); }, {x});
  const Tensor single = Tensor::from({1, 2, 3}, {3}).requires_grad_();
  (single.to(float64) * Tensor::from({4, 5, 6}, {3}, float64)).backward(Tensor::ones({3}, float64));
  CHECK(single.grad().dtype() == float32);
  CHECK(single.grad().to_vector() == std::vector<double>{4, 5, 6});
}

TEST_CASE("lists and ranges that do not fit are named") {
  const Tensor x = Tensor::zeros({2, 3});
  CHECK_THROWS_WITH_AS(permute(x, {0}), doctest::Contains("permute: 1 dimensions listed"), ArgumentError);
  CHECK_THROWS_WITH_AS(permute(x, {0, -2}), doctest::Contains("permute: dimension -2 is listed twice"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(concat({}, 0), doctest::Contains("concat: the list"), ArgumentError);
  CHECK_THROWS_WITH_AS(concat({x, Tensor::zeros({3, 2})}, 0),
                       doctest::Contains("concat: tensor 1 has shape (3, 2), tensor 0 (2, 3)"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(concat({x, Tensor::zeros({2, 3}, float64)}, 0),
                       doctest::Contains("concat: one tensor"), ArgumentError);
  CHECK_THROWS_WITH_AS(concat({x, Tensor()}, 0), doctest::Contains("tensor 1 of the list is undefined"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(slice(x, 1, 2, 4), doctest::Contains("slice: indices 2 to 4 of dimension 1"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(x.slice(-1, 1), doctest::Contains("slice: rows -1 to 1"), ArgumentError);
  CHECK_THROWS_WITH_AS(x.reshape({4, 2}), doctest::Contains("reshape: (2, 3) has 6 elements"), ArgumentError);
  CHECK_THROWS_WITH_AS(x.reshape({4, -1}), doctest::Contains("cannot be divided"), ArgumentError);
  CHECK_THROWS_AS(x.reshape({-1, -1}), ArgumentError);
}

TEST_CASE("stack, squeeze, unsqueeze and flatten") {
  check_against_torch("stack", [](const auto& in) { return stack({in[0], in[1], in[0]}, 1); });
  const Tensor x = random_input({2, 1, 3}), y = random_input({2, 1, 3}, 8);
  for (int dim = -4; dim <= 3; ++dim) {
    CAPTURE(dim);
    const Tensor both = stack({x, y}, dim);
    CHECK(both.size(dim) == 2);
    CHECK(identical(squeeze(slice(both, dim, 1, 2), dim), y));
    check_gradients([&](const auto& in) { return stack({in[0], in[1]}, dim); }, {x, y});
    CHECK(unsqueeze(x, dim).size(dim) == 1);
    CHECK(unsqueeze(x, dim).shares_storage(x));
  }
  CHECK(squeeze(x, 1).shape() == Shape{2, 3});
  CHECK(squeeze(x, 0).shape() == Shape{2, 1, 3});
  CHECK(squeeze(random_input({1, 3, 1})).shape() == Shape{3});
  CHECK(squeeze(random_input({1, 1})).shape() == Shape{});
  check_gradients([](const auto& in) { return squeeze(in[0], 1); }, {x});
  check_gradients([](const auto& in) { return unsqueeze(in[0], -1); }, {x});
  CHECK(flatten(x).shape() == Shape{6});
  CHECK(flatten(x, 1).shape() == Shape{2, 3});
  CHECK(flatten(x, 0, 1).shape() == Shape{2, 3});
  CHECK(flatten(Tensor::zeros({2, 0, 3}), 1).shape() == Shape{2, 0});
  check_gradients([](const auto& in) { return flatten(in[0], 1); }, {x});
  CHECK_THROWS_WITH_AS(unsqueeze(x, 4), doctest::Contains("unsqueeze: dimension 4"), ArgumentError);
  CHECK_THROWS_WITH_AS(squeeze(x, 3), doctest::Contains("squeeze: dimension 3"), ArgumentError);
  CHECK_THROWS_WITH_AS(flatten(x, 2, 1), doctest::Contains("comes after"), ArgumentError);
  CHECK_THROWS_WITH_AS(stack({x, Tensor::zeros({2, 1, 4}, float64)}), doctest::Contains("they must be equal"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(stack({}), doctest::Contains("empty"), ArgumentError);
}
