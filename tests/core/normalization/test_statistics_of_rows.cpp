// Statistics of a picture that comes in blocks of rows have the bits of those of the whole.
#include "gesso/core/normalization/statistics_of_rows.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "gesso/core/error.h"
#include "gesso/core/parallel.h"
#include "gesso/core/tensor.h"

using namespace gesso;

namespace {

struct Statistics {
  std::vector<double> mean, variance, inv_std;

  explicit Statistics(Index count) : mean(count), variance(count), inv_std(count) {}
  StatisticsOut out() { return {mean.data(), variance.data(), inv_std.data()}; }
  bool operator==(const Statistics&) const = default;
};

// Blocks of the numbers of rows in `blocks`, again and again.
Statistics by_rows(const NormalizationAxes& axes, const Tensor& x, const std::vector<Index>& blocks) {
  const Index channels = x.size(1), height = x.size(2), width = x.size(3);
  StatisticsOfRows statistics(axes);
  std::vector<float> block;
  for (Index row = 0, b = 0; row < height; ++b) {
    const Index rows = std::min(blocks[b % std::ssize(blocks)], height - row);
    block.clear();
    for (Index c = 0; c < channels; ++c) {
      const float* from = x.data<float>() + (c * height + row) * width;
      block.insert(block.end(), from, from + rows * width);
    }
    statistics.add(block.data(), rows * width);
    row += rows;
  }
  Statistics result(axes.statistics());
  statistics.finish(1e-5, result.out());
  return result;
}

}  // namespace

TEST_CASE("statistics of rows are those of the whole, bit for bit, however the rows come") {
  Generator rng(4);
  struct Size {
    Index height, width;
  };
  // Planes of less than a piece, of pieces that begin and end within rows, and of more than a cache holds.
  for (const auto& [height, width] : {Size{3, 5}, Size{64, 64}, Size{67, 103}, Size{700, 401}}) {
    const Tensor x = Tensor::uniform({1, 6, height, width}, rng, 2, 5);
    for (const Index groups : {6, 3, 2, 1}) {
      const NormalizationAxes axes = NormalizationAxes::group(x.shape(), groups);
      Statistics whole(groups);
      compute_statistics(axes, x.data<float>(), 1e-5, whole.out());
      CAPTURE(height);
      CAPTURE(groups);
      for (const std::vector<Index>& blocks :
           std::vector<std::vector<Index>>{{1}, {4}, {7, 2, 30}, {height}}) {
        CHECK(by_rows(axes, x, blocks) == whole);
      }
    }
    NormalizationAxes about_zero = NormalizationAxes::instance(x.shape());
    about_zero.centred = false;
    Statistics whole(6);
    compute_statistics(about_zero, x.data<float>(), 1e-5, whole.out());
    CHECK(by_rows(about_zero, x, {5}) == whole);
  }
}

TEST_CASE("statistics of rows do not depend on the number of threads") {
  Generator rng(5);
  const Tensor x = Tensor::randn({1, 7, 90, 77}, rng);
  const NormalizationAxes axes = NormalizationAxes::instance(x.shape());
  const int threads = num_threads();
  set_num_threads(1);
  const Statistics one = by_rows(axes, x, {8});
  set_num_threads(4);
  CHECK(by_rows(axes, x, {8}) == one);
  set_num_threads(threads);
}

TEST_CASE("rows that are missing, and what statistics of rows are not for, are errors") {
  const NormalizationAxes axes = NormalizationAxes::instance({1, 2, 4, 3});
  StatisticsOfRows statistics(axes);
  const std::vector<float> block(12);
  statistics.add(block.data(), 6);
  Statistics result(2);
  CHECK_THROWS_WITH_AS(statistics.finish(1e-5, result.out()), doctest::Contains("6 elements of 12 came"),
                       ArgumentError);
  CHECK_THROWS_AS(StatisticsOfRows(NormalizationAxes::instance({2, 2, 4, 3})), ArgumentError);
  CHECK_THROWS_AS(StatisticsOfRows(NormalizationAxes::layer({1, 2, 4, 3}, 3)), ArgumentError);
}
