// Random numbers: the same for every number of threads, from a stream that can be saved, well spread.
#include "gesso/core/generator.h"

#include <cmath>
#include <vector>

#include "gesso/core/parallel.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

TEST_CASE("blocks are those of Philox4x32-10") {
  // The first known answer of Random123, the authors' implementation: counter 0, key 0.
  CHECK(Generator::block(0, 0) ==
        std::array<std::uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
}

TEST_CASE("tensors of random numbers do not depend on the number of threads") {
  const int before = num_threads();
  const auto run = [](int threads) {
    set_num_threads(threads);
    Generator rng(42);
    return std::vector<Tensor>{Tensor::randn({100003}, rng), Tensor::uniform({50001}, rng, -1, 1, float64),
                               Tensor::randn({1}, rng)};
  };
  const auto one = run(1), two = run(2), three = run(3);
  set_num_threads(before);
  for (int i = 0; i < 3; ++i) {
    CHECK(identical(one[i], two[i]));
    CHECK(identical(one[i], three[i]));
  }
}

TEST_CASE("a copied or restored stream repeats itself, other seeds differ") {
  Generator rng(7);
  rng.normal();
  const Generator::State state = rng.state();
  Generator copy = rng;
  const Tensor x = Tensor::randn({33}, rng), again = Tensor::randn({33}, copy);
  CHECK(identical(x, again));
  CHECK_FALSE(identical(x, Tensor::randn({33}, rng)));  // the stream moved on
  rng.set_state(state);
  CHECK(identical(x, Tensor::randn({33}, rng)));
  Generator other(8);
  other.normal();
  CHECK_FALSE(identical(x, Tensor::randn({33}, other)));
  CHECK(Generator(state).state() == state);
}

TEST_CASE("moments and bounds") {
  Generator rng(3);
  const Index n = 200000;
  const std::vector<double> normal = Tensor::randn({n}, rng, float64).to_vector();
  double mean = 0, square = 0, cube = 0, fourth = 0;
  for (double v : normal) {
    mean += v / n;
    square += v * v / n;
    cube += v * v * v / n;
    fourth += v * v * v * v / n;
  }
  CHECK(std::abs(mean) < 0.01);
  CHECK(std::abs(square - 1) < 0.02);
  CHECK(std::abs(cube) < 0.05);
  CHECK(std::abs(fourth - 3) < 0.1);

  double low = 2, high = 0, sum = 0;
  for (double v : Tensor::uniform({n}, rng, 0.5, 0.75).to_vector()) {
    low = std::min(low, v);
    high = std::max(high, v);
    sum += v / n;
  }
  CHECK(low >= 0.5);
  CHECK(low < 0.501);
  CHECK(high < 0.75);
  CHECK(high > 0.749);
  CHECK(sum == doctest::Approx(0.625).epsilon(0.005));
}

TEST_CASE("below gives every number about equally often") {
  Generator rng(5);
  std::vector<int> counts(7);
  for (int i = 0; i < 70000; ++i) ++counts[rng.below(7)];
  for (int count : counts) CHECK(std::abs(count - 10000) < 400);
  CHECK(rng.below(1) == 0);
  CHECK_THROWS_WITH_AS(rng.below(0), doctest::Contains("Generator::below: count is 0"), ArgumentError);
}
