// matmul: values against the definition, gradients against finite differences.
#include "gesso/autograd/matmul.h"

#include "gesso/core/memory/memory_pool.h"
#include "gesso/core/parallel.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

// y[..., i, j] = sum over p of a[..., i, p] b[..., p, j], element by element.
Tensor multiplied_by_loop(const Tensor& a, const Tensor& b, const Shape& batch) {
  const Index m = a.size(-2), k = a.size(-1), n = b.size(-1);
  std::vector<Index> sizes(batch.begin(), batch.end());
  sizes.insert(sizes.end(), {m, n});
  const Shape shape(sizes);
  const auto matrix = [&](const Tensor& x, Index number) {  // which matrix of x takes part
    Index offset = 0, step = x.size(-1) * x.size(-2);
    for (int d = 1; d <= batch.rank(); ++d) {
      const Index size = d + 2 <= x.rank() ? x.size(-d - 2) : 1;
      offset += (size == 1 ? 0 : number % batch[-d]) * step;
      step *= size;
      number /= batch[-d];
    }
    return offset;
  };
  const std::vector<double> u = a.to_vector(), v = b.to_vector();
  std::vector<double> y(shape.numel());
  for (Index q = 0; q < batch.numel(); ++q)
    for (Index i = 0; i < m; ++i)
      for (Index j = 0; j < n; ++j)
        for (Index p = 0; p < k; ++p)
          y[(q * m + i) * n + j] += u[matrix(a, q) + i * k + p] * v[matrix(b, q) + p * n + j];
  return Tensor::from(y, shape, a.dtype());
}

struct Case {
  Shape a, b, batch;
};

const std::vector<Case> kCases = {
    {{1, 1}, {1, 1}, {}},
    {{2, 3}, {3, 4}, {}},
    {{1, 5}, {5, 1}, {}},
    {{5, 1}, {1, 5}, {}},
    {{3, 2, 4}, {3, 4, 5}, {3}},
    {{3, 2, 4}, {4, 5}, {3}},
    {{2, 4}, {3, 4, 5}, {3}},
    {{1, 2, 4}, {3, 4, 1}, {3}},
    {{3, 1, 4}, {1, 4, 2}, {3}},
    {{2, 3, 1, 2}, {2, 3, 2, 3}, {2, 3}},
    {{2, 1, 3, 2}, {4, 2, 3}, {2, 4}},
    {{3, 2, 2}, {1, 1, 2, 3}, {1, 3}},
};

}  // namespace

TEST_CASE("matmul agrees with plain loops for all batches and has the right gradients") {
  for (const Case& c : kCases) {
    CAPTURE(c.a.str());
    CAPTURE(c.b.str());
    const Tensor a = random_input(c.a, 1), b = random_input(c.b, 2);
    const Tensor expected = multiplied_by_loop(a, b, c.batch);
    CHECK(largest_difference(matmul(a, b), expected) < 1e-12);
    CHECK(largest_difference(matmul(a.detach().to(float32), b.detach().to(float32)).to(float64), expected) <
          1e-5);
    check_gradients([](const auto& in) { return matmul(in[0], in[1]); }, {a, b});
  }
}

TEST_CASE("each gradient is right when it alone is wanted, and the other is not computed") {
  const Tensor a = random_input({200, 50}), b = random_input({50, 3}, 8);
  check_gradients([](const auto& in) { return matmul(in[0], in[1]); }, {a, b.detach()});
  check_gradients([](const auto& in) { return matmul(in[0], in[1]); }, {a.detach(), b});
  // What only the other gradient needs is not kept: without b's, nobody holds a's memory.
  const auto uses_of_memory = [](const Tensor& u, const Tensor& v) {
    const Tensor x = u.clone().detach().requires_grad_(u.requires_grad());
    const Tensor w = v.clone().detach().requires_grad_(v.requires_grad());
    const Tensor y = matmul(x, w);
    return std::pair(x.owned_alone(), w.owned_alone());
  };
  CHECK(uses_of_memory(a, b.detach()) == std::pair(true, false));
  CHECK(uses_of_memory(a.detach(), b) == std::pair(false, true));
  // And backward takes no memory for it: da would be 200 x 50 numbers, db is 50 x 3.
  const Tensor y = matmul(a.detach(), b);
  const Tensor dy = Tensor::ones(y.shape(), float64);
  reset_peak_memory();
  const std::size_t before = memory_stats().current_bytes;
  y.backward(dy);
  CHECK(memory_stats().peak_bytes - before < 200 * 50 * sizeof(double));
}

TEST_CASE("large products agree with plain loops and do not depend on the number of threads") {
  for (const Case& c : std::vector<Case>{{{201, 130}, {130, 197}, {}},
                                         {{3, 129, 65}, {3, 65, 193}, {3}},
                                         {{40, 33, 17}, {40, 17, 9}, {40}},
                                         {{5, 67, 31}, {31, 33}, {5}}}) {
    CAPTURE(c.a.str());
    Generator rng(3);
    const Tensor a = Tensor::randn(c.a, rng), b = Tensor::randn(c.b, rng);
    const int before = num_threads();
    const auto run = [&](int threads) {
      set_num_threads(threads);
      const Tensor u = a.detach().requires_grad_(), v = b.detach().requires_grad_();
      const Tensor y = matmul(u, v);
      y.backward(y.detach());
      return std::vector<Tensor>{y, u.grad(), v.grad()};
    };
    const auto one = run(1), two = run(2), three = run(3);
    set_num_threads(before);
    CHECK(largest_difference(one[0], multiplied_by_loop(a, b, c.batch)) < 1e-4);
    for (int i = 0; i < 3; ++i) {
      CHECK(identical(one[i], two[i]));
      CHECK(identical(one[i], three[i]));
    }
  }
}

TEST_CASE("products over nothing are zero, products of nothing are empty") {
  CHECK(matmul(Tensor::zeros({2, 0}), Tensor::zeros({0, 3})).to_vector() == std::vector<double>(6, 0.0));
  CHECK(matmul(Tensor::zeros({4, 2, 0}), Tensor::zeros({0, 3})).to_vector() == std::vector<double>(24, 0.0));
  CHECK(matmul(Tensor::zeros({0, 2}), Tensor::zeros({2, 3})).shape() == Shape{0, 3});
  CHECK(matmul(Tensor::zeros({0, 4, 2}), Tensor::zeros({0, 2, 3})).shape() == Shape{0, 4, 3});
}

TEST_CASE("shapes that do not fit are named") {
  CHECK_THROWS_WITH_AS(matmul(Tensor::zeros({2, 3}), Tensor::zeros({2, 3})),
                       doctest::Contains("matmul: shapes (2, 3) and (2, 3) do not fit"), ArgumentError);
  CHECK_THROWS_WITH_AS(matmul(Tensor::zeros({3}), Tensor::zeros({3, 2})),
                       doctest::Contains("reshape a vector"), ArgumentError);
  CHECK_THROWS_WITH_AS(matmul(Tensor::zeros({2, 4, 3}), Tensor::zeros({3, 3, 2})),
                       doctest::Contains("matmul: shapes (2) and (3) do not broadcast"), ArgumentError);
  CHECK_THROWS_WITH_AS(matmul(Tensor::zeros({2, 2}), Tensor::zeros({2, 2}, float64)),
                       doctest::Contains("matmul: one tensor is"), ArgumentError);
}
