// Layers whose weight is normalized, and RMSNorm: how they begin, state, printing, modes, gradients, errors,
// and that they do what they are for in a training.
#include <algorithm>
#include <cmath>
#include <sstream>

#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/matmul.h"
#include "gesso/autograd/reduce.h"
#include "gesso/layers/activations.h"
#include "gesso/layers/normalization/group_norm.h"
#include "gesso/layers/normalization/inspect.h"
#include "gesso/layers/normalization/rms_norm.h"
#include "gesso/layers/normalization/spectral_norm.h"
#include "gesso/layers/normalization/weight_norm.h"
#include "gesso/layers/normalization/weight_standardization.h"
#include "gesso/layers/sequential.h"
#include "gesso/training/optim/adam.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

using Keys = std::vector<std::string>;

// As templates over any class, which Clang 14 can pass on.
template <class Layer>
using OfWeightNorm = WeightNorm<Layer>;
template <class Layer>
using OfSpectralNorm = SpectralNorm<Layer>;
template <class Layer>
using OfStandardization = WeightStandardization<Layer>;

Keys keys(const Module& module) {
  Keys names;
  for (const auto& [name, tensor] : module.state_dict()) {
    names.push_back(name);
  }
  return names;
}

Tensor random(const Shape& shape, DType dtype = float32, std::uint64_t seed = 5) {
  Generator rng(seed);
  return Tensor::randn(shape, rng, dtype);
}

// The largest singular value of a matrix, from the eigenvalues of A^T A: its trace's power 2^k, which the
// largest eigenvalue alone fills as k grows. Knows nothing of vectors.
double largest_singular_value_by_squaring(const Tensor& matrix) {
  Tensor square = matmul(matrix.to(float64).transpose(0, 1), matrix.to(float64)).detach();
  double logarithm = 0;
  constexpr int doublings = 12;
  for (int k = 0; k < doublings; ++k) {
    const double size = norm(square).item();
    logarithm = 2 * (logarithm + std::log(size));
    square = matmul(square / size, square / size);
  }
  double trace = 0;
  for (Index i = 0; i < square.size(0); ++i) {
    trace += square.at({i, i});
  }
  return std::exp((logarithm + std::log(trace)) / std::pow(2.0, doublings) / 2);
}

Tensor matrix_of(const Tensor& weight) {
  return weight.detach().reshape({weight.size(0), weight.numel() / weight.size(0)});
}

// Gradcheck of x and of every parameter.
void check_layer(Module& layer, const Shape& x) {
  layer.to(float64);
  CAPTURE(layer.describe());
  check_gradients([&](const auto& in) { return layer(in[0]); }, {random_input(x)},
                  {.parameters = layer.named_parameters()});
}

// Twenty steps towards a random target; the loss must fall.
void train(Module& layer, const Shape& x) {
  const Tensor input = random(x), target = random(layer(input).shape(), float32, 6);
  Adam adam(layer.parameters(), {.lr = 0.02});
  double first = 0, last = 0;
  for (int step = 0; step < 20; ++step) {
    const Tensor loss = mean(square(layer(input) - target));
    (step == 0 ? first : last) = loss.item();
    adam.zero_grad();
    loss.backward();
    adam.step();
  }
  CAPTURE(layer.describe());
  CHECK(last < 0.95 * first);
}

}  // namespace

TEST_CASE("keys are those of torch.nn.utils, and layers print what they are") {
  Generator rng(1);
  WeightNorm<Conv2d> weight_norm(3, 4, {3, 2}, {.padding = 1}, rng);
  CHECK(keys(weight_norm) == Keys{"bias", "weight_g", "weight_v"});
  CHECK(weight_norm.weight_g.shape() == Shape{4, 1, 1, 1});
  CHECK(weight_norm.describe() == "WeightNorm<Conv2d>(3, 4, kernel_size=(3, 2), padding=1)");
  SpectralNorm<Linear> spectral_norm(5, 3, {.bias = false}, rng);
  CHECK(keys(spectral_norm) == Keys{"weight_orig", "weight_u", "weight_v"});
  CHECK(spectral_norm.describe() == "SpectralNorm<Linear>(in_features=5, out_features=3, bias=false)");
  SpectralNorm<ConvTranspose2d> transposed(3, 2, 4, rng);
  CHECK(keys(transposed) == Keys{"bias", "weight_orig", "weight_u", "weight_v"});
  CHECK(transposed.named_buffers()[0].second.shape() == Shape{2});
  WeightStandardization<Conv2d> standard(3, 4, 3, rng);
  CHECK(keys(standard) == Keys{"weight", "bias"});
  RMSNorm rms({4, 3});
  CHECK(keys(rms) == Keys{"weight"});
  CHECK(keys(RMSNorm({4}, {.elementwise_affine = false})).empty());
  std::ostringstream text;
  text << rms << RMSNorm({2}, {.eps = 1e-6});
  CHECK(text.str() ==
        "RMSNorm((4, 3), eps=none, elementwise_affine=true, statistics=per_instance)"
        "RMSNorm((2), eps=1e-06, elementwise_affine=true, statistics=per_instance)");
}

TEST_CASE("they begin as the layer draws its weight: weight norm with the same function") {
  const Tensor x = random({2, 3, 6, 5});
  Generator a(9), b(9), c(9);
  Conv2d plain(3, 4, 3, a);
  WeightNorm<Conv2d> weight_norm(3, 4, 3, b);
  SpectralNorm<Conv2d> spectral(3, 4, 3, c);
  CHECK(identical(plain.weight, weight_norm.weight));
  CHECK(identical(plain.weight, spectral.weight));
  CHECK(largest_difference(plain(x), weight_norm(x)) < 1e-6);
  CHECK(a.below(1 << 30) == c.below(1 << 30));  // the vectors are drawn from elsewhere
}

TEST_CASE("gradients of x and every parameter on every layer") {
  Generator rng(2);
  const Shape picture{2, 3, 5, 4}, row{3, 5};
  const auto check_all = [&]<template <class> class Norm>() {
    Norm<Conv2d> conv(3, 5, {3, 2}, {.padding = 1}, rng);
    Norm<Conv2d> grouped(4, 6, {1, 3}, {.groups = 2, .bias = false}, rng);
    Norm<ConvTranspose2d> transposed(3, 2, {2, 3}, {.stride = 2}, rng);
    Norm<ConvTranspose2d> transposed_groups(4, 6, {3, 1}, {.groups = 2}, rng);
    Norm<Linear> linear(5, 3, rng);
    for (Module* layer : {static_cast<Module*>(&conv), static_cast<Module*>(&transposed)}) {
      layer->eval();  // spectral norm's vectors stay where they are
      check_layer(*layer, picture);
    }
    for (Module* layer : {static_cast<Module*>(&grouped), static_cast<Module*>(&transposed_groups)}) {
      layer->eval();
      check_layer(*layer, {1, 4, 3, 5});
    }
    linear.eval();
    check_layer(linear, row);
  };
  check_all.operator()<OfWeightNorm>();
  check_all.operator()<OfStandardization>();
  check_all.operator()<OfSpectralNorm>();
  RMSNorm rms({5});
  check_layer(rms, row);
}

TEST_CASE("a fused relu and a Sequential") {
  Generator rng(3);
  Sequential net;
  net.emplace<WeightStandardization<Conv2d>>(3, 8, 3, {.padding = 1}, rng);
  net.emplace<GroupNorm>(4, 8).then(Activation::relu);
  net.emplace<WeightNorm<Conv2d>>(8, 4, 3, rng).then(Activation::relu);
  net.emplace<SpectralNorm<Conv2d>>(4, 2, 1, rng).power_iterations = 2;
  net.eval();
  check_layer(net, {1, 3, 5, 5});
}

TEST_CASE("state goes round, and comes in under the keys of torch.nn.utils.parametrizations") {
  Generator a(4), b(5);
  Sequential from, to;
  for (auto& [net, rng] : {std::pair(&from, &a), std::pair(&to, &b)}) {
    net->emplace<WeightNorm<Conv2d>>(3, 4, 3, *rng);
    net->emplace<SpectralNorm<Conv2d>>(4, 2, 3, *rng);
  }
  const Tensor x = random({1, 3, 7, 7});
  from(x);  // moves the vectors
  from.eval();
  to.eval();
  CHECK_FALSE(identical(from(x), to(x)));
  to.load_state_dict(from.state_dict());
  CHECK(identical(from(x), to(x)));

  StateDict modern;
  for (const auto& [key, tensor] : from.state_dict()) {
    const std::string layer = key.substr(0, 2), name = key.substr(2), p = layer + "parametrizations.weight.";
    modern.emplace_back(name == "weight_g"                    ? p + "original0"
                        : name == "weight_v" && layer == "0." ? p + "original1"
                        : name == "weight_orig"               ? p + "original"
                        : name == "weight_u"                  ? p + "0._u"
                        : name == "weight_v"                  ? p + "0._v"
                                                              : key,
                        tensor);
  }
  Generator c(6);
  Sequential third;
  third.emplace<WeightNorm<Conv2d>>(3, 4, 3, c);
  third.emplace<SpectralNorm<Conv2d>>(4, 2, 3, c);
  third.eval();
  CHECK_THROWS_AS(third.load_state_dict(modern), ArgumentError);
  third.load_state_dict(modern, {.rename = classic_weight_key});
  CHECK(identical(from(x), third(x)));
  CHECK(classic_weight_key("parametrizations.weight.original0") == "weight_g");
  CHECK(classic_weight_key("conv.weight") == "conv.weight");
  CHECK(classic_weight_key("my_parametrizations.weight.original") == "my_parametrizations.weight.original");
}

TEST_CASE("weights loaded from a plain layer: renamed, they are the direction") {
  Generator a(4), b(5);
  Linear plain(4, 3, a);
  WeightNorm<Linear> normed(4, 3, b);
  normed.load_state_dict(plain.state_dict(),
                         {.strict = false, .rename = replace_prefix("weight", "weight_v")});
  normed.weight_g.copy_(row_norms(plain.weight).detach());
  const Tensor x = random({2, 4});
  CHECK(largest_difference(plain(x), normed(x)) < 1e-6);
}

TEST_CASE("spectral norm: a forward in training moves the vectors, one in evaluation does not") {
  Generator rng(7);
  SpectralNorm<Linear> layer(6, 5, rng);
  const auto vectors = [&] {
    return std::pair(layer.named_buffers()[0].second.clone(), layer.named_buffers()[1].second.clone());
  };
  const auto before = vectors();
  const Tensor x = random({2, 6});
  layer.eval();
  const Tensor y = layer(x);
  CHECK(identical(vectors().first, before.first));
  layer.effective_weight();
  layer.train();
  layer.effective_weight();  // looking changes nothing
  CHECK(identical(vectors().first, before.first));
  layer(x);
  CHECK_FALSE(identical(vectors().first, before.first));
  CHECK_FALSE(identical(vectors().second, before.second));
  // two forwards, then both backwards
  const Tensor first = layer(x), second = layer(x);
  sum(first).backward();
  sum(second).backward();
  CHECK(layer.weight.grad().defined());
}

TEST_CASE("after a training, each norm is what it says") {
  Generator rng(8);
  const Shape picture{4, 3, 6, 6}, rows{8, 6};
  WeightNorm<Conv2d> weight_norm(3, 4, 3, rng);
  train(weight_norm, picture);
  CHECK(largest_difference(row_norms(weight_norm.effective_weight()), abs(weight_norm.weight_g)) < 1e-6);

  WeightStandardization<Conv2d> standard(3, 4, 3, rng);
  train(standard, picture);
  const Tensor weights = matrix_of(standard.effective_weight());
  CHECK(largest_difference(mean(weights, {1}), Tensor::zeros({4})) < 1e-6);
  CHECK(largest_difference(variance(weights, {1}, {.unbiased = false}), Tensor::ones({4})) < 1e-3);

  SpectralNorm<Conv2d> conv(3, 4, 3, rng);
  train(conv, picture);
  SpectralNorm<Linear> linear(6, 5, rng);
  train(linear, rows);
  SpectralNorm<ConvTranspose2d> transposed(3, 4, 3, rng);
  train(transposed, picture);
  // the weights stand still now, and the vectors catch up
  for (int k = 0; k < 200; ++k) {
    conv(random(picture));
    linear(random(rows));
    transposed(random(picture));
  }
  for (const Tensor& weight :
       {conv.effective_weight(), linear.effective_weight(), transposed.effective_weight().transpose(0, 1)}) {
    CHECK(largest_singular_value_by_squaring(matrix_of(weight)) == doctest::Approx(1).epsilon(1e-4));
  }
  // so no input gets longer
  linear.eval();
  const Tensor a = random({50, 6}, float32, 10), b = random({50, 6}, float32, 11);
  const Tensor ratio = norm(linear(a) - linear(b), {1}) / norm(a - b, {1});
  CHECK(std::ranges::max(ratio.to_vector()) <= 1 + 1e-4);
}

TEST_CASE("an RMS norm sees the mean and not the scale, and its eps is that of x's dtype") {
  RMSNorm rms({8}, {.elementwise_affine = false});
  CHECK(rms.eps() == std::numeric_limits<float>::epsilon());
  CHECK(rms.eps(float64) == std::numeric_limits<double>::epsilon());
  const Tensor x = random({3, 8}, float64);
  CHECK(largest_difference(rms(5.0 * x), rms(x)) < 1e-12);
  CHECK(largest_difference(rms(x + 1.0), rms(x)) > 0.1);
  CHECK(largest_difference(mean(square(rms(x)), {1}), Tensor::ones({3}, float64)) < 1e-12);
  const NormalizationInspection seen = inspect_normalization(rms, x, random({3, 8}, float64, 6));
  const NormalizationTerms& terms = seen.parts.at(0);
  CHECK(terms.mean.to_vector() == std::vector<double>{0, 0, 0});
  CHECK(terms.removed_by_mean.to_vector() == std::vector<double>{0, 0, 0});
  CHECK(largest_difference(terms.mean_term, Tensor::zeros({3, 8}, float64)) == 0);
  CHECK(largest_difference(terms.variance.reshape({3}), mean(square(x), {1})) < 1e-14);
  // one number in each row: all but eps is taken from the gradient
  RMSNorm one({1}, {.eps = 0.5, .elementwise_affine = false});
  check_layer(one, {4, 1});
}

TEST_CASE("RMS norm of float32 numbers whose squares overflow") {
  const Tensor x = Tensor::from({3e38, -3e38, 1e38, 0}, {1, 4});
  const double root = std::sqrt(19.0 / 4) * 1e38;
  const Tensor expected = Tensor::from({3e38 / root, -3e38 / root, 1e38 / root, 0}, {1, 4});
  CHECK(largest_difference(rms_norm(x, {4}), expected) < 1e-6);
}

TEST_CASE("errors name what is wrong") {
  Generator rng(1);
  CHECK_THROWS_WITH_AS(
      RMSNorm({4})(Tensor::zeros({2, 3})),
      doctest::Contains("RMSNorm: x has shape (2, 3), which does not end in normalized_shape (4)"),
      ArgumentError);
  CHECK_THROWS_WITH_AS(RMSNorm({2}, {.eps = -1.0}), doctest::Contains("RMSNorm: eps -1 is negative"),
                       ArgumentError);
  CHECK_THROWS_AS(RMSNorm(Shape{}), ArgumentError);
  CHECK_THROWS_WITH_AS(rms_norm(Tensor::zeros({2, 3}), {3}, Tensor::ones({2})),
                       doctest::Contains("rms_norm: weight has shape (2)"), ArgumentError);
  WeightStandardization<Conv2d> one_weight(4, 4, 1, {.groups = 4}, rng);
  CHECK_THROWS_WITH_AS(one_weight(Tensor::zeros({1, 4, 2, 2})),
                       doctest::Contains("one number for each output"), ArgumentError);
  Linear linear(2, 2, rng);
  CHECK_THROWS_WITH_AS(linear.unregister_parameter("weights"),
                       doctest::Contains("Linear::unregister_parameter: there is no parameter \"weights\""),
                       ArgumentError);
}
