// Weight norm, weight standardization and the power iteration of spectral norm as functions: by hand,
// gradients, what each leaves of a gradient, errors.
#include "gesso/autograd/weight_normalization.h"

#include <cmath>

#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/matmul.h"
#include "gesso/autograd/normalization.h"
#include "gesso/autograd/reduce.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

const std::vector<Shape> kShapes = {{1, 2},       {3, 5},       {5, 3},   {1, 1, 2, 1},
                                    {4, 3, 1, 5}, {2, 3, 3, 2}, {3, 7, 2}};

Index columns(const Shape& shape) { return shape.numel(1, shape.rank()); }

// Vectors that have found their singular value.
SingularVectors settled(const Tensor& weight) {
  const SingularVectors vectors{random_input({weight.size(0)}, 3).detach().clone(),
                                random_input({columns(weight.shape())}, 4).detach().clone()};
  power_iteration(weight, vectors, 2000);
  return vectors;
}

// The gradient of `weight` for this gradient of the result.
Tensor gradient(const std::function<Tensor(const Tensor&)>& normalize, const Tensor& weight,
                const Tensor& dw) {
  Tensor leaf = weight.detach().clone();
  leaf.requires_grad_();
  normalize(leaf).backward(dw);
  return leaf.grad();
}

double dot(const Tensor& a, const Tensor& b) { return sum(a * b).item(); }

}  // namespace

TEST_CASE("by hand: rows of length g, rows of mean 0 and variance 1, the largest singular value") {
  const Tensor v = Tensor::from({3, 4, 0, -2}, {2, 2}, float64), g = Tensor::from({10, 3}, {2, 1}, float64);
  CHECK(largest_difference(weight_norm(v, g), Tensor::from({6, 8, 0, -3}, {2, 2}, float64)) < 1e-14);
  CHECK(row_norms(v).to_vector() == std::vector<double>{5, 2});

  const Tensor w = Tensor::from({1, 3, 3, 9}, {1, 4, 1, 1}, float64);  // mean 4, variance 9
  const Tensor standard = Tensor::from({-1, -1 / 3.0, -1 / 3.0, 5 / 3.0}, w.shape(), float64);
  CHECK(largest_difference(standardize_weight(w, 0), standard) < 1e-14);
  CHECK(identical(standardize_weight(w, 1e-3),
                  layer_norm(w.reshape({1, 4}), {4}, {}, {}, {.eps = 1e-3}).reshape(w.shape())));

  const Tensor matrix = Tensor::from({3, 0, 0, 0, -5, 0}, {2, 3}, float64);
  const SingularVectors vectors = settled(matrix);
  CHECK(largest_singular_value(matrix, vectors).item() == doctest::Approx(5).epsilon(1e-14));
  CHECK(std::abs(vectors.u.to_vector()[1]) == doctest::Approx(1));
  CHECK(std::abs(vectors.v.to_vector()[1]) == doctest::Approx(1));
}

TEST_CASE("the numbers of docs/normalization.md") {
  const Shape row{1, 4};
  const auto near = [&](const Tensor& found, const std::vector<double>& expected) {
    CHECK(largest_difference(found, Tensor::from(expected, found.shape(), float64)) < 1e-12);
  };
  Tensor v = Tensor::from({1, 3, 3, 9}, row, float64), length = Tensor::from({10}, {1, 1}, float64);
  const Tensor upstream = Tensor::from({1, 0, 0, 0}, row, float64);
  v.requires_grad_();
  length.requires_grad_();
  weight_norm(v, length).backward(upstream);
  near(length.grad(), {0.1});
  near(v.grad(), {0.99, -0.03, -0.03, -0.09});

  Tensor x = v.detach().clone();
  x.requires_grad_();
  const Tensor y = rms_norm(x, {4}, Tensor::from({3, 3, 3, 3}, {4}, float64), 0.0);
  near(y, {0.6, 1.8, 1.8, 5.4});
  y.backward(upstream);
  near(x.grad(), {0.594, -0.018, -0.018, -0.054});
}

TEST_CASE("weight norm is RMS norm of the rows of v with gamma = g / sqrt(m)") {
  for (const Shape& shape : kShapes) {
    CAPTURE(shape.str());
    const Tensor v = random_input(shape).detach(), g = random_input(row_norms(v).shape(), 8).detach();
    const Index m = columns(shape);
    const Tensor rows = rms_norm(v.reshape({shape[0], m}), {m}, {}, 0.0);
    const Tensor by_rms =
        (g.reshape({shape[0], 1}) / std::sqrt(static_cast<double>(m)) * rows).reshape(shape);
    CHECK(largest_difference(weight_norm(v, g), by_rms) < 1e-13);
  }
}

TEST_CASE("gradients for every input") {
  for (const Shape& shape : kShapes) {
    CAPTURE(shape.str());
    const Tensor weight = random_input(shape);
    check_gradients([](const auto& in) { return weight_norm(in[0], in[1]); },
                    {weight, random_input(row_norms(weight).shape(), 8)});
    check_gradients([](const auto& in) { return row_norms(in[0]); }, {weight});
    check_gradients([](const auto& in) { return standardize_weight(in[0], 0.1); }, {weight});
    const SingularVectors any{random_input({shape[0]}, 9).detach(),
                              random_input({columns(shape)}, 10).detach()};
    check_gradients([&](const auto& in) { return in[0] / largest_singular_value(in[0], any); }, {weight});
  }
}

TEST_CASE("where the vectors have settled, u v^T is the gradient of the largest singular value itself") {
  for (const Shape& shape : kShapes) {
    CAPTURE(shape.str());
    const Tensor weight = random_input(shape);
    const SingularVectors start = settled(weight);
    // finite differences move the weight, and the vectors follow it
    check_gradients(
        [&](const auto& in) {
          const SingularVectors vectors{start.u.clone(), start.v.clone()};
          power_iteration(in[0], vectors, 300);
          return largest_singular_value(in[0], vectors);
        },
        {weight});
  }
}

TEST_CASE("each gradient lacks what its norm takes out of the weight") {
  for (const Shape& shape : {Shape{3, 5}, Shape{4, 3, 1, 5}, Shape{2, 3, 3, 2}}) {
    CAPTURE(shape.str());
    const Tensor weight = random_input(shape).detach(), dw = random_input(shape, 12).detach();
    const double scale = norm(weight).item() * norm(dw).item();
    const Tensor g = row_norms(weight);
    std::vector<int> inputs;
    for (int d = 1; d < shape.rank(); ++d) {
      inputs.push_back(d);
    }
    // weight norm: no row of dv points along its row of v
    const Tensor dv = gradient([&](const Tensor& w) { return weight_norm(w, g); }, weight, dw);
    CHECK(norm(sum(dv * weight, inputs)).item() < 1e-12 * scale);
    CHECK(norm(sum(dv, inputs)).item() > 1e-3 * scale);
    // standardization: nor along 1
    const Tensor standard = gradient([](const Tensor& w) { return standardize_weight(w, 0); }, weight, dw);
    CHECK(norm(sum(standard * weight, inputs)).item() < 1e-12 * scale);
    CHECK(norm(sum(standard, inputs)).item() < 1e-12 * scale);
    // spectral norm: only the weight as a whole
    const SingularVectors vectors = settled(weight);
    const Tensor spectral =
        gradient([&](const Tensor& w) { return w / largest_singular_value(w, vectors); }, weight, dw);
    CHECK(std::abs(dot(spectral, weight)) < 1e-12 * scale);
    CHECK(norm(sum(spectral * weight, inputs)).item() > 1e-3 * scale);
  }
}

TEST_CASE("a backward may come after later iterations") {
  const Tensor weight = random_input({3, 4});
  const SingularVectors vectors{random_input({3}, 9).detach().clone(),
                                random_input({4}, 10).detach().clone()};
  const Tensor expected = matmul(vectors.u.reshape({3, 1}), vectors.v.reshape({1, 4}));
  const Tensor sigma = largest_singular_value(weight, vectors);
  power_iteration(weight, vectors);
  sigma.backward();
  CHECK(largest_difference(weight.grad(), expected) < 1e-15);
}

TEST_CASE("a matrix of zeros leaves vectors and results finite, a row of zeros has no direction") {
  const Tensor zeros = Tensor::zeros({2, 3}, float64);
  const SingularVectors vectors{Tensor::ones({2}, float64), Tensor::ones({3}, float64)};
  power_iteration(zeros, vectors);
  CHECK(vectors.u.to_vector() == std::vector<double>{0, 0});
  CHECK(std::isnan(weight_norm(zeros, Tensor::ones({2, 1}, float64)).to_vector()[0]));
}

TEST_CASE("errors name what does not fit") {
  const Tensor w = Tensor::ones({2, 3, 1, 1});
  CHECK_THROWS_WITH_AS(weight_norm(w, Tensor::ones({2})),
                       doctest::Contains("weight_norm: g has shape (2), v (2, 3, 1, 1) needs (2, 1, 1, 1)"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(weight_norm(Tensor::ones({3}), Tensor::ones({3})),
                       doctest::Contains("v has shape (3); it needs two dimensions"), ArgumentError);
  CHECK_THROWS_WITH_AS(weight_norm(w, {}), doctest::Contains("g"), ArgumentError);
  CHECK_THROWS_WITH_AS(standardize_weight(Tensor::ones({4, 1, 1, 1})),
                       doctest::Contains("weight (4, 1, 1, 1) has one number for each output"),
                       ArgumentError);
  CHECK_THROWS_AS(standardize_weight(w, -1), ArgumentError);
  CHECK_THROWS_WITH_AS(power_iteration(w, {Tensor::ones({3}), Tensor::ones({3})}),
                       doctest::Contains("power_iteration: u has shape (3), weight (2, 3, 1, 1) needs (2)"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(largest_singular_value(w, {Tensor::ones({2}), Tensor::ones({2})}),
                       doctest::Contains("largest_singular_value: v has shape (2)"), ArgumentError);
  CHECK_THROWS_AS(largest_singular_value(w, {Tensor::ones({2}, float64), Tensor::ones({3}, float64)}),
                  ArgumentError);
}
