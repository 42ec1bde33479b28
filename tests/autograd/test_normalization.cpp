// instance_norm, batch_norm, group_norm and layer_norm as functions: values, gradients, running statistics,
// errors.
#include "gesso/autograd/normalization.h"

#include <cmath>

#include "gesso/autograd/convolution.h"
#include "gesso/autograd/elementwise.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

// A channel of numbers around `center`, for running statistics: positive, so it can be a variance.
Tensor positive(const Shape& shape, std::uint64_t seed, DType dtype = float64) {
  Generator rng(seed);
  return Tensor::uniform(shape, rng, 0.5, 2, dtype);
}

const std::vector<Shape> kShapes = {{1, 1, 1, 2}, {2, 3, 1, 5}, {1, 4, 3, 3},
                                    {4, 2, 2, 1}, {3, 2, 7},    {2, 2, 2, 3, 3}};

}  // namespace

TEST_CASE("a 1x1x2x2 plane by hand") {
  const Tensor x = Tensor::from({1, 2, 3, 6}, {1, 1, 2, 2}, float64);  // mean 3, variance 3.5
  const double inv_std = 1 / std::sqrt(3.5 + 1e-5);
  const Tensor y = instance_norm(x, Tensor::from({2}, {1}, float64), Tensor::from({10}, {1}, float64));
  const double deviations[] = {-2, -1, 0, 3};
  for (int i = 0; i < 4; ++i) {
    CHECK(y.data<double>()[i] == doctest::Approx(10 + 2 * deviations[i] * inv_std).epsilon(1e-14));
  }
  // of one sample, batch norm is instance norm, and so is group norm with a group for each channel
  CHECK(identical(batch_norm(x, {}, {}, {}, true), instance_norm(x)));
  CHECK(identical(group_norm(x, 1), instance_norm(x)));
  CHECK(identical(layer_norm(x, {1, 2, 2}), instance_norm(x)));
}

TEST_CASE("gradients of every member, with and without weight, bias and relu") {
  for (const Shape& shape : kShapes) {
    CAPTURE(shape.str());
    const Index channels = shape[1];
    const Tensor x = random_input(shape), weight = random_input({channels}, 8),
                 bias = random_input({channels}, 9);
    const Tensor rows = random_input({shape[0], channels}, 10),
                 row_biases = random_input({shape[0], channels}, 11);
    const RunningStatistics running{random_input({channels}, 12).detach(), positive({channels}, 13)};
    for (Activation activation : {Activation::none, Activation::relu}) {
      CAPTURE(static_cast<int>(activation));
      const NormalizeOptions options{.eps = 0.1};  // a gentle one: planes of two elements are stiff
      check_gradients(
          [&](const auto& in) { return instance_norm(in[0], {}, {}, {}, true, options, activation); }, {x});
      check_gradients(
          [&](const auto& in) { return instance_norm(in[0], in[1], in[2], {}, true, options, activation); },
          {x, weight, bias});
      check_gradients(
          [&](const auto& in) { return instance_norm(in[0], in[1], {}, {}, true, options, activation); },
          {x, weight});
      check_gradients(
          [&](const auto& in) { return instance_norm(in[0], {}, in[1], {}, true, options, activation); },
          {x, bias});
      check_gradients(
          [&](const auto& in) { return instance_norm(in[0], in[1], in[2], {}, true, options, activation); },
          {x, rows, row_biases});
      check_gradients(
          [&](const auto& in) {
            return instance_norm(in[0], in[1], in[2], running, false, options, activation);
          },
          {x, weight, bias});
      check_gradients(
          [&](const auto& in) {
            return instance_norm(in[0], in[1], in[2], running, false, options, activation);
          },
          {x, rows, row_biases});
      check_gradients(
          [&](const auto& in) { return batch_norm(in[0], {}, in[1], in[2], true, options, activation); },
          {x, weight, bias});
      check_gradients(
          [&](const auto& in) {
            return batch_norm(in[0], running, in[1], in[2], false, options, activation);
          },
          {x, weight, bias});
      check_gradients(
          [&](const auto& in) { return batch_norm(in[0], running, {}, {}, false, options, activation); },
          {x});
      for (Index groups = 1; groups <= channels; ++groups) {
        if (channels % groups == 0) {
          check_gradients(
              [&](const auto& in) { return group_norm(in[0], groups, in[1], in[2], options, activation); },
              {x, weight, bias});
        }
      }
      for (int rank = 1; rank < shape.rank(); ++rank) {
        const Shape normalized(std::vector<Index>(shape.end() - rank, shape.end()));
        const Tensor w = random_input(normalized, 14), b = random_input(normalized, 15);
        check_gradients(
            [&](const auto& in) { return layer_norm(in[0], normalized, in[1], in[2], options, activation); },
            {x, w, b});
        check_gradients(
            [&](const auto& in) { return layer_norm(in[0], normalized, in[1], {}, options, activation); },
            {x, w});
        check_gradients(
            [&](const auto& in) { return layer_norm(in[0], normalized, {}, in[1], options, activation); },
            {x, b});
        check_gradients(
            [&](const auto& in) { return layer_norm(in[0], normalized, {}, {}, options, activation); }, {x});
        check_gradients(
            [&](const auto& in) { return rms_norm(in[0], normalized, in[1], options.eps, activation); },
            {x, w});
        check_gradients(
            [&](const auto& in) { return rms_norm(in[0], normalized, {}, options.eps, activation); }, {x});
      }
    }
  }
  // (N, C): batch and group norm of vectors
  const Tensor x = random_input({5, 4}), weight = random_input({4}, 8), bias = random_input({4}, 9);
  check_gradients([](const auto& in) { return batch_norm(in[0], {}, in[1], in[2], true); },
                  {x, weight, bias});
  check_gradients([](const auto& in) { return group_norm(in[0], 2, in[1], in[2]); }, {x, weight, bias});
}

TEST_CASE("gradients when only some inputs want one") {
  const Shape shape{2, 3, 4, 5};
  const Tensor x = random_input(shape), weight = random_input({3}, 8), bias = random_input({3}, 9);
  const Tensor x0 = x.detach(), weight0 = weight.detach(), bias0 = bias.detach();
  const RunningStatistics running{random_input({3}, 12).detach(), positive({3}, 13)};
  for (Activation activation : {Activation::none, Activation::relu}) {
    for (bool own : {false, true}) {
      // with statistics of its own, no running ones: each of gradcheck's calls would move them
      const RunningStatistics used = own ? RunningStatistics{} : running;
      for (const std::vector<Tensor>& inputs : {std::vector<Tensor>{x, weight0, bias0},
                                                {x0, weight, bias0},
                                                {x0, weight0, bias},
                                                {x0, weight, bias}}) {
        check_gradients(
            [&](const auto& in) { return batch_norm(in[0], used, in[1], in[2], own, {}, activation); },
            inputs);
        check_gradients(
            [&](const auto& in) { return instance_norm(in[0], in[1], in[2], used, own, {}, activation); },
            inputs);
      }
    }
  }
}

TEST_CASE("gradients through a trainable convolution before each member") {
  const Tensor x = random_input({2, 3, 5, 4}), kernel = random_input({4, 3, 3, 3}, 21),
               shift = random_input({4}, 22);
  const Tensor weight = random_input({4}, 23), bias = random_input({4}, 24);
  const Tensor rows = random_input({2, 4}, 25), row_biases = random_input({2, 4}, 26);
  const Tensor layer_weight = random_input({4, 5, 4}, 27), layer_bias = random_input({4, 5, 4}, 28);
  const RunningStatistics running{random_input({4}, 12).detach(), positive({4}, 29)};
  const auto conv = [](const std::vector<Tensor>& in) { return conv2d(in[0], in[1], in[2], {.padding = 1}); };
  using Inputs = const std::vector<Tensor>&;
  check_gradients([&](Inputs in) { return instance_norm(conv(in), in[3], in[4]); },
                  {x, kernel, shift, weight, bias});
  check_gradients([&](Inputs in) { return instance_norm(conv(in), in[3], in[4]); },
                  {x, kernel, shift, rows, row_biases});
  check_gradients([&](Inputs in) { return batch_norm(conv(in), {}, in[3], in[4], true); },
                  {x, kernel, shift, weight, bias});
  check_gradients([&](Inputs in) { return batch_norm(conv(in), running, in[3], in[4], false); },
                  {x, kernel, shift, weight, bias});
  check_gradients([&](Inputs in) { return group_norm(conv(in), 2, in[3], in[4]); },
                  {x, kernel, shift, weight, bias});
  check_gradients(
      [&](Inputs in) {
        return layer_norm(conv(in), {4, 5, 4}, in[3], in[4]);
      },
      {x, kernel, shift, layer_weight, layer_bias});
}

TEST_CASE("relu inside is relu outside, bit for bit, forward and backward") {
  Generator rng(4);
  for (DType dtype : {float32, float64}) {
    const Tensor x = Tensor::randn({3, 4, 9, 11}, rng, dtype),
                 upstream = Tensor::randn(x.shape(), rng, dtype);
    const Tensor weight = Tensor::randn({4}, rng, dtype), bias = Tensor::randn({4}, rng, dtype);
    Tensor a[3] = {x.clone(), weight.clone(), bias.clone()}, b[3] = {x.clone(), weight.clone(), bias.clone()};
    for (int i = 0; i < 3; ++i) {
      a[i].requires_grad_();
      b[i].requires_grad_();
    }
    const Tensor inside = instance_norm(a[0], a[1], a[2], {}, true, {}, Activation::relu);
    const Tensor outside = relu(instance_norm(b[0], b[1], b[2]));
    CHECK(identical(inside, outside));
    inside.backward(upstream);
    outside.backward(upstream);
    for (int i = 0; i < 3; ++i) {
      CHECK(identical(a[i].grad(), b[i].grad()));
    }
  }
}

TEST_CASE("at 0 the relu inside lets no gradient through") {
  const Shape shape{2, 2, 3, 3};
  const Tensor upstream = random_input(shape, 31).detach(), zeros = Tensor::zeros(shape, float64);
  const auto check = [&](auto&& norm, const Shape& rows) {
    const Tensor x = Tensor::full(shape, 5, float64).requires_grad_();  // so z is the bias, 0
    const Tensor weight = Tensor::ones(rows, float64).requires_grad_();
    const Tensor bias = Tensor::zeros(rows, float64).requires_grad_();
    norm(x, weight, bias).backward(upstream);
    CHECK(largest_difference(x.grad(), zeros) == 0);
    CHECK(largest_difference(bias.grad(), Tensor::zeros(rows, float64)) == 0);
  };
  constexpr Activation relu = Activation::relu;
  using In = const Tensor&;
  check([&](In x, In w, In b) { return instance_norm(x, w, b, {}, true, {}, relu); }, {2});
  check([&](In x, In w, In b) { return batch_norm(x, {}, w, b, true, {}, relu); }, {2});
  check([&](In x, In w, In b) { return layer_norm(x, {2, 3, 3}, w, b, {}, relu); }, {2, 3, 3});
}

TEST_CASE("running statistics move by momentum towards mean and unbiased variance") {
  const Tensor x = Tensor::from({0, 2, 4, 6, 1, 1, 1, 5}, {2, 1, 4}, float64);  // means 3, 2; variances 5, 3
  RunningStatistics running{Tensor::zeros({1}, float64), Tensor::ones({1}, float64)};
  instance_norm(x, {}, {}, running, true, {.momentum = 0.25});
  CHECK(running.mean.item() == doctest::Approx(0.25 * 2.5));
  CHECK(running.variance.item() == doctest::Approx(0.75 + 0.25 * (5 + 3) / 2 * 4 / 3));
  running = {Tensor::zeros({1}, float64), Tensor::ones({1}, float64)};
  batch_norm(x, running, {}, {}, true, {.momentum = 0.25});
  CHECK(running.mean.item() == doctest::Approx(0.25 * 2.5));
  const double variance = (5 + 3) / 2.0 + 0.25;  // within, and between the samples
  CHECK(running.variance.item() == doctest::Approx(0.75 + 0.25 * variance * 8 / 7));
  const Tensor mean_before = running.mean.clone(), variance_before = running.variance.clone();
  batch_norm(x, running, {}, {}, false);
  instance_norm(x, {}, {}, running, false);
  CHECK(identical(mean_before, running.mean));
  CHECK(identical(variance_before, running.variance));
  // given statistics are an affine map
  const RunningStatistics given{Tensor::from({1}, {1}, float64), Tensor::from({4}, {1}, float64)};
  const Tensor y = batch_norm(x, given, {}, {}, false, {.eps = 0});
  CHECK(largest_difference(y, (x - 1.0) / 2.0) == 0);
}

TEST_CASE("nothing is normalized to nothing") {
  for (const Shape& shape : {Shape{2, 4, 0}, Shape{0, 4, 3}}) {
    CAPTURE(shape.str());
    const Tensor x = Tensor::zeros(shape).requires_grad_(), weight = Tensor::ones({4}).requires_grad_();
    const Tensor y = group_norm(x, 2, weight, Tensor::zeros({4}));
    CHECK(y.shape() == shape);
    y.backward(Tensor::zeros(shape));
    CHECK(x.grad().shape() == shape);
    CHECK(identical(weight.grad(), Tensor::zeros({4})));
  }
}

TEST_CASE("what cannot be normalized is refused with a remedy") {
  const auto z = [](const Shape& shape) { return Tensor::zeros(shape); };
  const auto refuses = [](auto&& call, const char* text) {
    CHECK_THROWS_WITH_AS(call(), doctest::Contains(text), ArgumentError);
  };
  refuses([&] { instance_norm(z({2, 3, 1, 1})); }, "Use larger pictures");
  refuses([&] { instance_norm(z({2, 3})); }, "instance_norm: x has shape (2, 3), rank 3 or more");
  refuses(
      [&] {
        instance_norm(z({2, 3, 4}), z({4}));
      },
      "weight has shape (4), x (2, 3, 4) needs (3) (or (2, 3)");
  refuses([&] { instance_norm(z({2, 3, 4}), z({3}), z({2, 3})); }, "give both a row for every sample");
  refuses([&] { instance_norm(z({2, 3, 4}), {}, {}, {}, false); }, "needs running");
  refuses([&] { instance_norm(z({2, 3, 4}), {}, {}, {z({3}), {}}); }, "must both be given");
  refuses([&] { instance_norm(z({2, 3, 4}), {}, {}, {z({2}), z({3})}); }, "running mean has shape (2)");
  refuses([&] { instance_norm(z({2, 3, 4}), Tensor::zeros({3}, float64)); }, "float64");
  refuses([&] { instance_norm(z({2, 3, 4}), {}, {}, {}, true, {.eps = -1}); }, "eps -1 is negative");
  refuses([&] { instance_norm({}); }, "instance_norm");
  refuses([&] { batch_norm(z({1, 3, 1, 1}), {}, {}, {}, true); }, "Use a larger batch, or call eval()");
  refuses([&] { batch_norm(z({1, 3}), {}, {}, {}, true); }, "1 value for each channel");
  refuses([&] { batch_norm(z({3}), {}, {}, {}, true); }, "rank 2 or more");
  refuses([&] { batch_norm(z({4, 3}), {}); }, "pass training = true");
  refuses([&] { batch_norm(z({4, 3}), {}, z({4}), {}, true); }, "weight has shape (4)");
  refuses([&] { group_norm(z({2, 6, 4}), 4); }, "6 channels cannot be cut into 4 groups");
  refuses([&] { group_norm(z({2, 6, 4}), 0); }, "groups");
  refuses([&] { group_norm(z({1, 6}), 6); }, "use fewer groups");
  refuses([&] { layer_norm(z({2, 6}), {5}); }, "does not end in normalized_shape (5)");
  refuses([&] { layer_norm(z({6}), {2, 6}); }, "does not end in normalized_shape (2, 6)");
  refuses([&] { layer_norm(z({2, 6}), {}); }, "normalized_shape () is empty");
  refuses([&] { layer_norm(z({2, 6}), {6}, z({5})); }, "weight has shape (5)");
}
