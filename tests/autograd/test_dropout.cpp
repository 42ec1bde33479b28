// Dropout: how much is left out, what stays, where the gradient goes.
#include "gesso/autograd/dropout.h"

#include <algorithm>
#include <cmath>

#include "gesso/core/parallel.h"
#include "gesso/layers/dropout.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

TEST_CASE("a share of p is left out and the rest enlarged, the same for the same generator") {
  for (const double p : {0.0, 0.2, 0.5, 0.9, 1.0}) {
    CAPTURE(p);
    Generator rng(3);
    const Tensor y = dropout(Tensor::full({100, 100}, 3), p, rng);
    Index zeros = 0;
    for (const double v : y.to_vector()) {
      zeros += v == 0 ? 1 : 0;
      CHECK((v == 0 || v == doctest::Approx(3 / (1 - p))));
    }
    CHECK(std::abs(static_cast<double>(zeros) / 10000 - p) < 0.02);
    set_num_threads(1);
    Generator again(3);
    CHECK(identical(dropout(Tensor::full({100, 100}, 3), p, again), y));
    CHECK(rng.state() == again.state());
    set_num_threads(2);
    CHECK((p == 0 || p == 1 || !identical(dropout(Tensor::full({100, 100}, 3), p, rng), y)));
  }
}

TEST_CASE("the gradient passes through what stays") {
  for (const Shape& shape : {Shape{1}, {7}, {2, 3, 4}, {2, 3, 4, 1}}) {
    CAPTURE(shape.str());
    const auto at_random = [&](const auto& in) {
      Generator rng(5);
      return dropout(in[0], 0.4, rng);
    };
    check_gradients(at_random, {random_input(shape)});
    if (shape.rank() >= 3) {
      check_gradients(
          [&](const auto& in) {
            Generator rng(5);
            return dropout2d(in[0], 0.4, rng);
          },
          {random_input(shape)});
    }
  }
}

TEST_CASE("dropout2d leaves out whole planes") {
  Generator rng(2);
  const Tensor y = dropout2d(Tensor::ones({20, 30, 2, 3}), 0.3, rng);
  Index zeros = 0;
  for (Index n = 0; n < 20; ++n) {
    for (Index c = 0; c < 30; ++c) {
      const std::vector<double> plane = y[n][c].to_vector();
      CHECK(std::all_of(plane.begin(), plane.end(), [&](double v) { return v == plane[0]; }));
      zeros += plane[0] == 0 ? 1 : 0;
    }
  }
  CHECK(std::abs(static_cast<double>(zeros) / 600 - 0.3) < 0.06);
}

TEST_CASE("the layers leave out only while they train") {
  Generator rng(1);
  Dropout layer(0.5, rng);
  Dropout2d planes(rng);
  const Tensor x = Tensor::ones({2, 8, 3, 3});
  CHECK_FALSE(identical(layer(x), x));
  CHECK_FALSE(identical(planes(x), x));
  layer.eval();
  planes.eval();
  const Generator::State before = rng.state();
  CHECK(identical(layer(x), x));
  CHECK(identical(planes(x), x));
  CHECK(rng.state() == before);
  CHECK(planes.describe() == "Dropout2d(p=0.5)");
  CHECK_THROWS_WITH_AS(Dropout(1.5, rng), doctest::Contains("p is 1.5"), ArgumentError);
  CHECK_THROWS_WITH_AS(dropout(x, -0.1, rng), doctest::Contains("p is -0.1"), ArgumentError);
  CHECK_THROWS_AS(dropout2d(Tensor::ones({2, 2}), 0.1, rng), ArgumentError);
}
