// Products of panels against plain loops.
#include "gesso/core/kernels/panel_products.h"

#include <vector>

#include "gesso/core/generator.h"
#include "gesso/core/index.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

template <class T>
std::vector<T> random(Index count, std::uint64_t seed) {
  Generator rng(seed);
  const std::vector<double> values = Tensor::randn({count}, rng, float64).to_vector();
  return {values.begin(), values.end()};
}

template <class T>
double tolerance() {
  return std::is_same_v<T, float> ? 1e-4 : 1e-12;
}

template <class T>
double largest(const std::vector<T>& a, const std::vector<T>& b) {
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i) most = std::max(most, std::abs(double{a[i]} - double{b[i]}));
  return most;
}

}  // namespace

TEST_CASE_TEMPLATE("product: rows in groups times a panel", T, float, double) {
  for (const int rows : {1, 5, 8, 19}) {
    for (const int channels : {1, 15, 16, 45}) {
      for (const int groups : {1, 2}) {
        for (const bool add : {false, true}) {
          CAPTURE(rows);
          CAPTURE(channels);
          CAPTURE(groups);
          const Index x_group = rows * kGroup + 3, y_row = kGroup + 1, y_group = rows * y_row + 5;
          const auto x = random<T>(divide_up(channels, kGroup) * x_group, 1),
                     w = random<T>(channels * kPanel, 2);
          auto y = random<T>(groups * y_group, 3), expected = y;
          for (int t = 0; t < rows; ++t) {
            for (int o = 0; o < groups * kGroup; ++o) {
              T& to = expected[t * y_row + o / kGroup * y_group + o % kGroup];
              double sum = add ? to : 0;
              for (int c = 0; c < channels; ++c) {
                sum += double{x[c / kGroup * x_group + t * kGroup + c % kGroup]} * double{w[c * kPanel + o]};
              }
              to = static_cast<T>(sum);
            }
          }
          panel_kernels<T>().product(x.data(), x_group, rows, channels, w.data(), groups, y.data(), y_row,
                                     y_group, add, w.data());
          CHECK(largest(y, expected) < tolerance<T>());
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("product_sum: a group times one or two, over the rows", T, float, double) {
  for (const int rows : {1, 7, 33}) {
    for (const int groups : {1, 2}) {
      for (const bool add : {false, true}) {
        CAPTURE(rows);
        CAPTURE(groups);
        const Index group = rows * kGroup + 2, sum_row = kPanel + 3;
        const auto x = random<T>(rows * kGroup, 1), v = random<T>(groups * group, 2);
        auto sum = random<T>(kGroup * sum_row, 3), expected = sum;
        for (int c = 0; c < kGroup; ++c) {
          for (int o = 0; o < groups * kGroup; ++o) {
            T& to = expected[c * sum_row + o];
            double total = add ? to : 0;
            for (int t = 0; t < rows; ++t) {
              total += double{x[t * kGroup + c]} * double{v[o / kGroup * group + t * kGroup + o % kGroup]};
            }
            to = static_cast<T>(total);
          }
        }
        panel_kernels<T>().product_sum(x.data(), v.data(), group, rows, groups, sum.data(), sum_row, add);
        CHECK(largest(sum, expected) < tolerance<T>());
      }
    }
  }
}

TEST_CASE_TEMPLATE("transpose: channels to groups, centred", T, float, double) {
  for (const int channels : {1, 3, 16}) {
    for (const int count : {1, 4, 11}) {
      for (const bool centred : {false, true}) {
        CAPTURE(channels);
        CAPTURE(count);
        const Index x_row = count + 2;
        const auto x = random<T>(channels * x_row, 1);
        const auto mean = random<double>(channels, 2);
        std::vector<T> to(count * kGroup, T{9}), expected(count * kGroup, T{0});
        for (int t = 0; t < count; ++t) {
          for (int c = 0; c < channels; ++c) {
            expected[t * kGroup + c] = static_cast<T>(double{x[c * x_row + t]} - (centred ? mean[c] : 0));
          }
        }
        panel_kernels<T>().transpose(x.data(), x_row, channels, centred ? mean.data() : nullptr, count,
                                     to.data());
        CHECK(largest(to, expected) < (std::is_same_v<T, float> ? 1e-6 : 1e-15));
      }
    }
  }
}
