// Losses: values against their formulas, gradients against finite differences.
#include "gesso/autograd/losses.h"

#include <cmath>

#include "gesso/core/parallel.h"
#include "golden_operations.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

const std::vector<Shape> kShapes = {{},     {1},    {1, 1, 1, 1}, {1, 7},
                                    {7, 1}, {3, 4}, {2, 3, 5, 3}, {1, 1, 1, 37}};

double variation_by_loop(const Tensor& x, bool squared) {
  const Index h = x.size(-2), w = x.size(-1);
  const std::vector<double> v = x.to_vector();
  double sum = 0, pairs = 0;
  const auto pair = [&](double d) {
    sum += squared ? d * d : std::abs(d);
    pairs += 1;
  };
  for (Index p = 0; p < x.numel() / (h * w); ++p)
    for (Index i = 0; i < h; ++i)
      for (Index j = 0; j < w; ++j) {
        const Index here = (p * h + i) * w + j;
        if (j + 1 < w) pair(v[here + 1] - v[here]);
        if (i + 1 < h) pair(v[here + w] - v[here]);
      }
  return pairs > 0 ? sum / pairs : 0;
}

double cross_entropy_by_loop(const Tensor& logits, const std::vector<Index>& labels) {
  double sum = 0;
  for (Index r = 0; r < logits.size(0); ++r) {
    double weight = 0;
    for (Index c = 0; c < logits.size(1); ++c) weight += std::exp(logits.at({r, c}));
    sum -= std::log(std::exp(logits.at({r, labels[r]})) / weight);
  }
  return sum / static_cast<double>(logits.size(0));
}

}  // namespace

TEST_CASE(
    "mse_loss and l1_loss are means of squared and absolute differences, with gradients for both sides") {
  for (const Shape& shape : kShapes) {
    CAPTURE(shape.str());
    const Tensor x = random_input(shape, 1), t = random_input(shape, 2);
    double squares = 0, absolutes = 0;
    for (Index i = 0; i < x.numel(); ++i) {
      const double d = x.data<double>()[i] - t.data<double>()[i];
      squares += d * d / static_cast<double>(x.numel());
      absolutes += std::abs(d) / static_cast<double>(x.numel());
    }
    CHECK(mse_loss(x, t).item() == doctest::Approx(squares).epsilon(1e-12));
    CHECK(l1_loss(x, t).item() == doctest::Approx(absolutes).epsilon(1e-12));
    CHECK(mse_loss(x.detach().to(float32), t.detach().to(float32)).item() ==
          doctest::Approx(squares).epsilon(1e-5));
    CHECK(mse_loss(x, t).shape() == Shape{});
    check_gradients([](const auto& in) { return mse_loss(in[0], in[1]); }, {x, t});
    check_gradients([](const auto& in) { return l1_loss(in[0], in[1]); }, {x, t});
    check_gradients([](const auto& in) { return mse_loss(in[0], in[1]); }, {x, t.detach()});
  }
  const Tensor same = Tensor::ones({3}).requires_grad_();
  l1_loss(same, Tensor::ones({3})).backward();
  CHECK(same.grad().to_vector() == std::vector<double>{0, 0, 0});
}

TEST_CASE("softmax cross entropy agrees with its formula and does not overflow") {
  for (const Shape& shape : {Shape{1, 1}, Shape{1, 5}, Shape{4, 3}, Shape{7, 1}, Shape{3, 11}}) {
    CAPTURE(shape.str());
    const Tensor x = random_input(shape);
    std::vector<Index> labels;
    for (Index r = 0; r < shape[0]; ++r) labels.push_back(r * 5 % shape[1]);
    const double expected = cross_entropy_by_loop(x, labels);
    CHECK(cross_entropy(x, labels).item() == doctest::Approx(expected).epsilon(1e-12));
    CHECK(cross_entropy(x.detach().to(float32), labels).item() == doctest::Approx(expected).epsilon(1e-5));
    check_gradients([&](const auto& in) { return cross_entropy(in[0], labels); }, {x});
  }
  const Tensor far = Tensor::from({1000, 0, -1000, 0}, {2, 2}).requires_grad_();
  const Tensor loss = cross_entropy(far, {1, 1});
  CHECK(loss.item() == 500);
  loss.backward();
  CHECK(far.grad().to_vector() == std::vector<double>{0.5, -0.5, 0, 0});
}

TEST_CASE("total variation agrees with a plain loop over neighbours") {
  for (const Shape& shape : {Shape{1, 1}, Shape{1, 6}, Shape{6, 1}, Shape{2, 2}, Shape{3, 5, 4},
                             Shape{2, 3, 33, 7}, Shape{1, 1, 17, 35}}) {
    CAPTURE(shape.str());
    const Tensor x = random_input(shape);
    for (TotalVariation kind : {TotalVariation::squared, TotalVariation::absolute}) {
      const double expected = variation_by_loop(x, kind == TotalVariation::squared);
      CHECK(total_variation(x, kind).item() == doctest::Approx(expected).epsilon(1e-12));
      CHECK(total_variation(x.detach().to(float32), kind).item() == doctest::Approx(expected).epsilon(1e-5));
      check_gradients([&](const auto& in) { return total_variation(in[0], kind); }, {x});
    }
  }
  CHECK(total_variation(Tensor::zeros({2, 3, 0, 4})).item() == 0);
  CHECK(total_variation(Tensor::full({1, 3, 9, 9}, 0.7)).item() == 0);
}

TEST_CASE("losses of large tensors do not depend on the number of threads") {
  Generator rng(8);
  const Tensor a = Tensor::randn({3, 5, 131, 257}, rng), b = Tensor::randn({3, 5, 131, 257}, rng);
  const Tensor logits = Tensor::randn({20011, 7}, rng);
  std::vector<Index> labels(20011, 3);
  const auto run = [&](int threads) {
    set_num_threads(threads);
    const Tensor x = a.detach().requires_grad_(), u = logits.detach().requires_grad_();
    const std::vector<Tensor> losses = {mse_loss(x, b), l1_loss(x, b), total_variation(x),
                                        cross_entropy(u, labels)};
    std::vector<Tensor> all = losses;
    for (const Tensor& loss : losses) loss.backward();
    all.push_back(x.grad());
    all.push_back(u.grad());
    return all;
  };
  const int before = num_threads();
  const auto one = run(1), two = run(2), three = run(3);
  set_num_threads(before);
  for (std::size_t i = 0; i < one.size(); ++i) {
    CHECK(identical(one[i], two[i]));
    CHECK(identical(one[i], three[i]));
  }
  CHECK(one[2].item() == doctest::Approx(variation_by_loop(a, true)).epsilon(1e-6));
}

TEST_CASE("arguments that do not fit are named") {
  CHECK_THROWS_WITH_AS(mse_loss(Tensor::zeros({2, 3}), Tensor::zeros({3})),
                       doctest::Contains("mse_loss: the first argument has shape (2, 3), the target (3)"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(l1_loss(Tensor::zeros({2}), Tensor::zeros({2}, float64)),
                       doctest::Contains("l1_loss: one tensor"), ArgumentError);
  CHECK_THROWS_WITH_AS(mse_loss(Tensor::zeros({0}), Tensor::zeros({0})), doctest::Contains("no elements"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(cross_entropy(Tensor::zeros({2, 3}), {0, 3}),
                       doctest::Contains("label 3 of row 1 is out of range"), ArgumentError);
  CHECK_THROWS_WITH_AS(cross_entropy(Tensor::zeros({2, 3}), {0}), doctest::Contains("1 labels for logits"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(cross_entropy(Tensor::zeros({3}), {0}), doctest::Contains("must be (N, C)"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(total_variation(Tensor::zeros({5})),
                       doctest::Contains("total_variation: the argument has shape (5)"), ArgumentError);
}

TEST_CASE("equal neighbours get no gradient from the absolute total variation") {
  for (DType dtype : {float32, float64}) {
    for (double value : {0.0, 0.3, -7.0}) {
      const Tensor x = Tensor::full({1, 2, 6, 37}, value, dtype).requires_grad_();
      total_variation(x, TotalVariation::absolute).backward();
      for (double v : x.grad().to_vector()) CHECK(v == 0);
    }
    // one pixel that stands out: only it and its four neighbours
    Tensor x = Tensor::zeros({1, 1, 5, 5}, dtype);
    x.set({0, 0, 2, 2}, 1);
    x.requires_grad_();
    total_variation(x, TotalVariation::absolute).backward();
    const double pairs = 40;
    CHECK(x.grad().at({0, 0, 2, 2}) == doctest::Approx(4 / pairs));
    CHECK(x.grad().at({0, 0, 1, 2}) == doctest::Approx(-1 / pairs));
    CHECK(x.grad().at({0, 0, 2, 3}) == doctest::Approx(-1 / pairs));
    CHECK(x.grad().at({0, 0, 1, 1}) == 0);
    CHECK(x.grad().at({0, 0, 4, 4}) == 0);
  }
}

TEST_CASE("cross_entropy is PyTorch's, with and without smoothing") {
  const std::vector<Index> labels = {2, 0, 4};
  check_against_torch("cross_entropy", [&](const auto& in) { return cross_entropy(in[0], labels); });
  check_against_torch("cross_entropy_smooth",
                      [&](const auto& in) { return cross_entropy(in[0], labels, {.label_smoothing = 0.1}); });
  for (const double smoothing : {0.1, 0.5, 1.0}) {
    const Tensor x = random_input({3, 5});
    check_gradients(
        [&](const auto& in) { return cross_entropy(in[0], labels, {.label_smoothing = smoothing}); }, {x});
  }
  CHECK_THROWS_WITH_AS(cross_entropy(Tensor::zeros({1, 2}), {0}, {.label_smoothing = 1.5}),
                       doctest::Contains("label_smoothing is 1.5"), ArgumentError);
}
