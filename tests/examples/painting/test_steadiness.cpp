// What keeps films steady: the next frame that is made of photographs, the loss, and a training with it.
#include <cmath>

#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/gradcheck.h"
#include "painting/steadiness.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

TEST_CASE("the next frame is the photograph moved, with something new in it, where it says so") {
  Generator rng(3);
  const Tensor photographs = Tensor::uniform({2, 3, 64, 80}, rng, 0.2, 0.8);
  for (int i = 0; i < 8; ++i) {
    const NextFrame next = next_frame(photographs, rng);
    REQUIRE(next.photographs.shape() == photographs.shape());
    REQUIRE(next.unchanged.shape() == Shape({2, 1, 64, 80}));
    CHECK(std::abs(next.down) <= 8);
    CHECK(std::abs(next.right) <= 8);
    double error = 0;
    Index count = 0;
    for (Index n = 0; n < 2; ++n) {
      for (Index y = 8; y < 56; ++y) {
        for (Index x = 8; x < 72; ++x) {
          if (next.unchanged.at({n, 0, y, x}) == 1) {
            error += std::abs(next.photographs.at({n, 1, y, x}) -
                              photographs.at({n, 1, y - next.down, x - next.right}));
            ++count;
          }
        }
      }
    }
    REQUIRE(count > 0);
    CHECK(error / static_cast<double>(count) < 0.03);  // noise of deviation 0.02
    CHECK(error > 0);
  }
}

TEST_CASE("the steadiness loss: 0 for a painting that moves along, and its gradients") {
  Generator rng(4);
  NextFrame next{Tensor(), Tensor::ones({1, 1, 12, 10}), 2, -3};
  const Tensor painted = Tensor::randn({1, 3, 12, 10}, rng, float64);
  Tensor moved = Tensor::zeros({1, 3, 12, 10}, float64);
  for (Index c = 0; c < 3; ++c) {
    for (Index y = 2; y < 12; ++y) {
      for (Index x = 0; x < 7; ++x) {
        moved.set({0, c, y, x}, painted.at({0, c, y - 2, x + 3}));
      }
    }
  }
  next.unchanged = next.unchanged.to(float64);
  CHECK(steadiness_loss(painted, moved, next).item() == 0);
  moved.set({0, 1, 5, 5}, moved.at({0, 1, 5, 5}) + 1);
  CHECK(steadiness_loss(painted, moved, next).item() == doctest::Approx(1.0 / (3 * 10 * 7)));
  next.unchanged.set({0, 0, 5, 5}, 0);
  CHECK(steadiness_loss(painted, moved, next).item() == 0);
  const Tensor a = Tensor::randn({1, 3, 12, 10}, rng, float64).requires_grad_();
  const Tensor b = Tensor::randn({1, 3, 12, 10}, rng, float64).requires_grad_();
  CHECK(gradcheck([&](const std::vector<Tensor>& x) { return steadiness_loss(x[0], x[1], next); }, {a, b}));
}
