// Pictures turned by any angle.
#include <cmath>
#include <numbers>

#include "gesso/core/parallel.h"
#include "gesso/core/pictures/turn.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

constexpr double kQuarter = std::numbers::pi / 2;

}  // namespace

TEST_CASE("turned by nothing it is the same, by quarters its pixels change places") {
  Generator rng(1);
  for (const DType dtype : {float32, float64}) {
    const Tensor x = Tensor::uniform({2, 3, 5, 7}, rng, 0, 1, dtype);
    CHECK(identical(turn_picture(x, 0, 5, 7), x));
    const Tensor quarter =
        turn_picture(x, kQuarter, 7, 5);  // counter-clockwise: the right side comes to the top
    const Tensor half = turn_picture(x, 2 * kQuarter, 5, 7);
    for (Index i = 0; i < 7; ++i) {
      for (Index j = 0; j < 5; ++j) {
        CHECK(quarter.at({1, 2, i, j}) == doctest::Approx(x.at({1, 2, j, 6 - i})).epsilon(1e-5));
        CHECK(half.at({1, 2, j, i}) == doctest::Approx(x.at({1, 2, 4 - j, 6 - i})).epsilon(1e-5));
      }
    }
  }
}

TEST_CASE("between pixels it is linear") {
  // A slope of brightness along x stays a slope, along the turned direction.
  const double angle = 0.3;
  Tensor slope = Tensor::empty({1, 1, 33, 33}, float64);
  for (Index i = 0; i < slope.numel(); ++i) {
    slope.mutable_data<double>()[i] = 0.01 * static_cast<double>(i % 33 - 16);
  }
  const Tensor turned = turn_picture(slope, angle, 9, 9);
  for (Index i = 0; i < 9; ++i) {
    for (Index j = 0; j < 9; ++j) {
      const double down = static_cast<double>(i - 4), right = static_cast<double>(j - 4);
      CHECK(turned.at({0, 0, i, j}) ==
            doctest::Approx(0.01 * (right * std::cos(angle) - down * std::sin(angle))));
    }
  }
}

TEST_CASE("beyond the border it is mirrored") {
  const Tensor x = Tensor::from({1, 2, 3}, {1, 1, 1, 3});
  CHECK(turn_picture(x, 0, 1, 11).to_vector() == std::vector<double>{1, 2, 3, 2, 1, 2, 3, 2, 1, 2, 3});
  CHECK(turn_picture(Tensor::full({1, 1, 1, 1}, 0.5), 1, 3, 3).to_vector() == std::vector<double>(9, 0.5));
  CHECK(turn_picture(x, 1, 0, 4).shape() == Shape({1, 1, 0, 4}));
}

TEST_CASE("the number of threads changes nothing") {
  Generator rng(2);
  const Tensor x = Tensor::uniform({1, 3, 300, 200}, rng);
  const auto with_threads = [&](int threads) {
    set_num_threads(threads);
    return turn_picture(x, 0.7, 310, 190);
  };
  const Tensor alone = with_threads(1);
  CHECK(identical(alone, with_threads(3)));
  set_num_threads(2);
}

TEST_CASE("what cannot be turned is refused") {
  CHECK_THROWS_WITH_AS(turn_picture(Tensor::zeros({3, 4, 4}), 0, 4, 4), doctest::Contains("(3, 4, 4)"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(turn_picture(Tensor::zeros({1, 3, 0, 4}), 0, 4, 4), doctest::Contains("one pixel"),
                       ArgumentError);
  CHECK_THROWS_AS(turn_picture(Tensor::zeros({1, 3, 4, 4}), 0, -1, 4), ArgumentError);
  CHECK_THROWS_WITH_AS(turn_picture(Tensor::zeros({1, 3, 4, 4}), std::nan(""), 4, 4),
                       doctest::Contains("angle"), ArgumentError);
  CHECK_THROWS_AS(turn_picture(Tensor::zeros({1, 3, 4, 4}).requires_grad_(), 0, 4, 4), ArgumentError);
}
