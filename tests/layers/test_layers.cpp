// The layers: their formulas, initial values, printing and errors, gradients of input and parameters inside a
// small network, and that such a network learns.
#include <cmath>
#include <memory>

#include "gesso/autograd/reduce.h"
#include "gesso/autograd/upsampling.h"
#include "gesso/layers/activations.h"
#include "gesso/layers/conv2d.h"
#include "gesso/layers/linear.h"
#include "gesso/layers/normalization/batch_instance.h"
#include "gesso/layers/normalization/batch_norm.h"
#include "gesso/layers/normalization/conditional.h"
#include "gesso/layers/normalization/group_norm.h"
#include "gesso/layers/normalization/instance_norm.h"
#include "gesso/layers/resampling.h"
#include "gesso/layers/sequential.h"
#include "gesso/training/optim/adam.h"
#include "gesso/training/optim/sgd.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

// gradcheck of input and parameters.
void check_layer(Module& layer, const Shape& shape) {
  CAPTURE(layer.describe());
  CAPTURE(shape.str());
  layer.to(float64);
  check_gradients([&](const auto& in) { return layer(in[0]); }, {random_input(shape)},
                  {.parameters = layer.named_parameters()});
}

double largest(const Tensor& x) {
  double value = 0;
  for (double v : x.to_vector()) {
    value = std::max(value, std::abs(v));
  }
  return value;
}

}  // namespace

TEST_CASE("linear computes x w^T + b for any number of leading dimensions, with the right gradients") {
  for (const Shape& shape : {Shape{5}, Shape{1, 5}, Shape{4, 5}, Shape{2, 3, 5}, Shape{0, 5}}) {
    for (bool with_bias : {true, false}) {
      CAPTURE(shape.str());
      const Tensor x = random_input(shape, 1), w = random_input({3, 5}, 2),
                   b = with_bias ? random_input({3}, 3) : Tensor();
      const Tensor y = linear(x, w, b);
      CHECK(y.shape() == shape.with(-1, 3));
      for (Index r = 0; r < x.numel() / 5; ++r) {
        for (Index o = 0; o < 3; ++o) {
          double expected = with_bias ? b.at({o}) : 0;
          for (Index i = 0; i < 5; ++i) {
            expected += x.data<double>()[r * 5 + i] * w.at({o, i});
          }
          CHECK(y.data<double>()[r * 3 + o] == doctest::Approx(expected));
        }
      }
      check_gradients([](const auto& in) { return linear(in[0], in[1], in[2]); }, {x, w, b});
      // Each gradient also when it alone is wanted.
      check_gradients([](const auto& in) { return linear(in[0], in[1], in[2]); }, {x.detach(), w, {}});
    }
  }
  check_gradients([](const auto& in) { return linear(in[0], in[1]); },
                  {random_input({4, 5}), random_input({3, 5}).detach()});
  const Tensor x = Tensor::zeros({2, 4}), w = Tensor::zeros({3, 5});
  CHECK_THROWS_WITH_AS(linear(x, w), doctest::Contains("x has shape (2, 4); with a weight of (3, 5)"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(linear(Tensor::zeros({5}), w, x), doctest::Contains("bias has shape (2, 4)"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(linear(x, Tensor::zeros({4})), doctest::Contains("must be (out, in)"), ArgumentError);
  CHECK_THROWS_AS(linear(x, Tensor::zeros({3, 4}, float64)), ArgumentError);
  CHECK_THROWS_AS(linear(Tensor::scalar(1), w), ArgumentError);
}

TEST_CASE("every layer has the right gradients, for its parameters too") {
  Generator rng(3);
  const Shape pictures[] = {{1, 2, 5, 4}, {2, 2, 7, 9}};
  for (const Shape& shape : pictures) {
    Conv2d plain(2, 3, 3, {}, rng);
    check_layer(plain, shape);
    Conv2d rich(2, 4, {3, 2},
                {.stride = {2, 1},
                 .padding = {1, 2},
                 .dilation = {1, 2},
                 .groups = 2,
                 .bias = false,
                 .padding_mode = PaddingMode::reflect},
                rng);
    check_layer(rich, shape);
    ConvTranspose2d larger(2, 4, 3, {.stride = 2, .padding = 1, .output_padding = 1, .groups = 2}, rng);
    check_layer(larger, shape);
    Linear affine(shape[-1], 3, {}, rng);
    check_layer(affine, shape);
    for (const std::shared_ptr<Module>& layer : std::initializer_list<std::shared_ptr<Module>>{
             std::make_shared<ReLU>(), std::make_shared<LeakyReLU>(0.2), std::make_shared<Tanh>(),
             std::make_shared<Sigmoid>(), std::make_shared<MaxPool2d>(),
             std::make_shared<MaxPool2d>(Pool2dOptions{.kernel = 3, .stride = 1, .padding = 1}),
             std::make_shared<AvgPool2d>(), std::make_shared<Upsample>(),
             std::make_shared<Upsample>(UpsampleOptions{.scale = 1.5, .mode = UpsampleMode::bilinear}),
             std::make_shared<ReflectionPad2d>(Padding2d{1, 2, 3, 0}), std::make_shared<Flatten>()}) {
      check_layer(*layer, shape);
    }
  }
  Conv2d one(1, 1, 1, {}, rng);
  check_layer(one, {1, 1, 1, 1});
  check_layer(one, {1, 3, 5});  // one picture, not a batch
}

TEST_CASE("layers with parameters hand them and all options to their functions") {
  Generator rng(12);
  const Tensor x = Tensor::randn({2, 4, 9, 8}, rng);
  Conv2d conv(4, 6, {3, 2},
              {.stride = {2, 1},
               .padding = {1, 2},
               .dilation = {1, 2},
               .groups = 2,
               .padding_mode = PaddingMode::replicate},
              rng);
  conv.then(Activation::relu);
  CHECK(identical(conv(x), conv2d(x, conv.weight, conv.bias,
                                  {.stride = {2, 1},
                                   .padding = {1, 2},
                                   .dilation = {1, 2},
                                   .groups = 2,
                                   .padding_mode = PaddingMode::replicate},
                                  Activation::relu)));
  ConvTranspose2d larger(
      4, 6, {3, 2},
      {.stride = {2, 3}, .padding = {1, 0}, .output_padding = {1, 2}, .groups = 2, .dilation = {3, 1}}, rng);
  CHECK(identical(
      larger(x),
      conv_transpose2d(
          x, larger.weight, larger.bias,
          {.stride = {2, 3}, .padding = {1, 0}, .output_padding = {1, 2}, .groups = 2, .dilation = {3, 1}})));
  Linear affine(8, 3, {}, rng);
  CHECK(identical(affine(x), linear(x, affine.weight, affine.bias)));
}

TEST_CASE("layers without parameters are their functions") {
  Generator rng(4);
  const Tensor x = Tensor::randn({2, 3, 4, 6}, rng);
  CHECK(identical(ReLU()(x), relu(x)));
  CHECK(identical(LeakyReLU(0.3)(x), leaky_relu(x, 0.3)));
  CHECK(identical(LeakyReLU()(x), leaky_relu(x, 0.01)));
  CHECK(identical(Tanh()(x), tanh(x)));
  CHECK(identical(Sigmoid()(x), sigmoid(x)));
  CHECK(identical(MaxPool2d({.kernel = 3, .stride = 1})(x), max_pool2d(x, {.kernel = 3, .stride = 1})));
  CHECK(identical(AvgPool2d()(x), avg_pool2d(x)));
  CHECK(identical(Upsample({.scale = 3})(x), upsample_nearest2d(x, 3)));
  CHECK(identical(Upsample({.mode = UpsampleMode::bilinear, .align_corners = true})(x),
                  upsample_bilinear2d(x, {.scale = 2, .align_corners = true})));
  CHECK(identical(ReflectionPad2d({1, 2, 3, 0})(x), reflection_pad2d(x, {1, 2, 3, 0})));
  CHECK(Flatten()(x).shape() == Shape{2, 72});
  CHECK(Flatten()(Tensor::zeros({5})).shape() == Shape{5, 1});
}

TEST_CASE("weights and biases begin as in PyTorch, within 1 / sqrt(fan_in)") {
  Generator rng(5);
  const auto check = [](const Tensor& x, double bound) {
    CHECK(largest(x) <= bound);
    CHECK(largest(x) > 0.9 * bound);
    double sum = 0, squares = 0;
    for (double v : x.to_vector()) {
      sum += v;
      squares += v * v;
    }
    const double n = static_cast<double>(x.numel());
    CHECK(std::abs(sum / n) < 4 * bound / std::sqrt(3 * n));
    CHECK(squares / n == doctest::Approx(bound * bound / 3).epsilon(4 / std::sqrt(n)));
  };
  const Conv2d conv(16, 128, 3, {.groups = 2}, rng);
  check(conv.weight, 1 / std::sqrt(8 * 9));
  check(conv.bias, 1 / std::sqrt(8 * 9));
  const ConvTranspose2d larger(16, 128, {2, 3}, {.groups = 4}, rng);
  check(larger.weight, 1 / std::sqrt(32 * 6));
  check(larger.bias, 1 / std::sqrt(32 * 6));
  const Linear affine(50, 200, {}, rng);
  check(affine.weight, 1 / std::sqrt(50));
  check(affine.bias, 1 / std::sqrt(50));
}

TEST_CASE("shapes and keys of parameters are PyTorch's") {
  Generator rng(6);
  const Conv2d conv(4, 6, {3, 5}, {.groups = 2}, rng);
  CHECK(conv.weight.shape() == Shape{6, 2, 3, 5});
  CHECK(conv.bias.shape() == Shape{6});
  const ConvTranspose2d larger(4, 6, {3, 5}, {.groups = 2, .bias = false}, rng);
  CHECK(larger.weight.shape() == Shape{4, 3, 3, 5});
  CHECK(larger.state_dict().size() == 1);
  const Linear affine(4, 6, {.bias = false}, rng);
  CHECK(affine.weight.shape() == Shape{6, 4});
  CHECK(affine.named_parameters()[0].first == "weight");
}

TEST_CASE("layers print their options where they are not the defaults") {
  Generator rng(7);
  Sequential net;
  net.emplace<Conv2d>(3, 32, 9, Conv2dOptions{.padding = 4, .padding_mode = PaddingMode::reflect}, rng);
  net.emplace<Conv2d>(4, 8, Size2d{3, 5},
                      Conv2dOptions{.stride = {2, 1}, .dilation = 2, .groups = 4, .bias = false}, rng)
      .then(Activation::relu);
  net.emplace<ConvTranspose2d>(8, 3, 4,
                               ConvTranspose2dOptions{.stride = 2, .padding = 1, .output_padding = 1}, rng);
  net.emplace<ReLU>();
  net.emplace<LeakyReLU>(0.2);
  net.emplace<MaxPool2d>(Pool2dOptions{.kernel = 3, .stride = 2});
  net.emplace<AvgPool2d>();
  net.emplace<Upsample>();
  net.emplace<Upsample>(UpsampleOptions{.scale = 1.5, .mode = UpsampleMode::bilinear, .align_corners = true});
  net.emplace<ReflectionPad2d>(4);
  net.emplace<Flatten>();
  net.emplace<Linear>(10, 2, LinearOptions{.bias = false}, rng);
  CHECK(
      net.describe() ==
      "Sequential(\n"
      "  (0): Conv2d(3, 32, kernel_size=9, padding=4, padding_mode=reflect)\n"
      "  (1): Conv2d(4, 8, kernel_size=(3, 5), stride=(2, 1), dilation=2, groups=4, bias=false, relu=true)\n"
      "  (2): ConvTranspose2d(8, 3, kernel_size=4, stride=2, padding=1, output_padding=1)\n"
      "  (3): ReLU()\n"
      "  (4): LeakyReLU(negative_slope=0.2)\n"
      "  (5): MaxPool2d(kernel_size=3, stride=2, padding=0)\n"
      "  (6): AvgPool2d(kernel_size=2, stride=2, padding=0)\n"
      "  (7): Upsample(scale_factor=2, mode=nearest)\n"
      "  (8): Upsample(scale_factor=1.5, mode=bilinear, align_corners=true)\n"
      "  (9): ReflectionPad2d((4, 4, 4, 4))\n"
      "  (10): Flatten()\n"
      "  (11): Linear(in_features=10, out_features=2, bias=false)\n"
      ")");
}

TEST_CASE("wrong options are named when a layer is made") {
  Generator rng(8);
  const auto fails = [](auto&& make, const char* text) {
    CHECK_THROWS_WITH_AS(make(), doctest::Contains(text), ArgumentError);
  };
  fails([&] { Conv2d(0, 3, 3, {}, rng); }, "Conv2d: 0 input and 3 output channels");
  fails([&] { Conv2d(3, 4, 3, {.groups = 2}, rng); }, "Conv2d: 2 groups do not divide 3 input and 4 output");
  fails([&] { Conv2d(3, 4, 3, {.groups = 0}, rng); }, "Conv2d: 0 groups");
  fails([&] { Conv2d(3, 4, {3, 0}, {}, rng); }, "Conv2d: kernel 3x0");
  fails([&] { Conv2d(3, 4, 3, {.stride = 0}, rng); }, "stride 0x0");
  fails([&] { Conv2d(3, 4, 3, {.padding = -1}, rng); }, "padding -1x-1");
  fails([&] { ConvTranspose2d(3, 4, 3, {.output_padding = -1}, rng); }, "output_padding -1x-1");
  fails([&] { ConvTranspose2d(3, 4, 3, {.dilation = 0}, rng); }, "ConvTranspose2d: kernel 3x3");
  fails([&] { Linear(3, 0, {}, rng); }, "Linear: 3 input and 0 output features");
  fails([&] { Upsample({.scale = 1.5}); }, "use mode bilinear");
  fails([&] { Upsample({.scale = 0}); }, "Upsample: scale 0");
  fails([&] { Upsample({.align_corners = true}); }, "align_corners");
  fails([&] { ReflectionPad2d(-1); }, "ReflectionPad2d: padding (-1, -1, -1, -1)");
  fails([&] { Flatten()(Tensor::scalar(1)); }, "Flatten: a scalar");
  Conv2d conv(3, 4, 3, {}, rng);
  fails([&] { conv(Tensor::zeros({1, 2, 5, 5})); }, "conv2d");
}

namespace {

struct ToyNet : Module {
  Conv2d conv1, conv2;
  Linear head;
  explicit ToyNet(Generator& rng)
      : conv1(1, 6, 3, {.padding = 1, .padding_mode = PaddingMode::reflect}, rng),
        conv2(6, 6, 3, {.stride = 2, .padding = 1}, rng),
        head(6, 2, {}, rng) {
    register_module("conv1", conv1);
    register_module("conv2", conv2);
    register_module("head", head);
  }
  Tensor forward(const Tensor& x) override { return head(mean(relu(conv2(relu(conv1(x)))), {2, 3})); }
};

// Pictures of stripes, across (target 1, 0) or down (target 0, 1), at random places.
std::pair<Tensor, Tensor> stripes(Index count, Generator& rng) {
  Tensor x = Tensor::zeros({count, 1, 8, 8}), target = Tensor::zeros({count, 2});
  for (Index n = 0; n < count; ++n) {
    const bool down = rng.below(2) == 1;
    const Index phase = rng.below(4);
    for (Index i = 0; i < 8; ++i) {
      for (Index j = 0; j < 8; ++j) {
        x.set({n, 0, i, j}, ((down ? j : i) + phase) % 4 < 2 ? 1 : -1);
      }
    }
    target.set({n, down ? 1 : 0}, 1);
  }
  return {x, target};
}

double train_toy(ToyNet& net, Optimizer& optimizer, Generator& rng, int steps) {
  double loss_value = 0;
  for (int step = 0; step < steps; ++step) {
    const auto [x, target] = stripes(16, rng);
    const DType dtype = net.head.weight.dtype();
    optimizer.zero_grad();
    const Tensor loss = mean(square(net(x.to(dtype)) - target.to(dtype)));
    loss.backward();
    optimizer.step();
    loss_value = loss.item();
  }
  return loss_value;
}

}  // namespace

TEST_CASE("a small net learns to tell stripes, with Adam and with SGD") {
  Generator rng(9);
  ToyNet a(rng), b(rng);
  Adam adam(a.parameters(), {.lr = 0.01});
  const double at_first = train_toy(a, adam, rng, 1);
  CHECK(at_first > 0.2);
  CHECK(train_toy(a, adam, rng, 150) < 0.01);
  SGD sgd(b.parameters(), {.lr = 0.1, .momentum = 0.9, .nesterov = true});
  CHECK(train_toy(b, sgd, rng, 200) < 0.01);
}

TEST_CASE("training goes on after a change of dtype, and frozen parts stay as they are") {
  Generator rng(10);
  ToyNet net(rng);
  Adam adam(net.parameters(), {.lr = 0.01});
  const double before = train_toy(net, adam, rng, 30);
  net.to(float64);
  CHECK(train_toy(net, adam, rng, 60) < before);
  net.to(float32);
  net.conv1.requires_grad_(false);
  const Tensor frozen = net.conv1.weight.detach().clone(), trained = net.conv2.weight.detach().clone();
  CHECK(train_toy(net, adam, rng, 60) < 0.01);
  CHECK(identical(frozen, net.conv1.weight));
  CHECK_FALSE(identical(trained, net.conv2.weight));
}

TEST_CASE("gradients of a whole net pass the check, in every parameter") {
  Generator rng(11);
  ToyNet net(rng);
  check_layer(net, {2, 1, 5, 7});
}

TEST_CASE("an empty batch passes through every layer, and leaves running statistics alone") {
  Generator rng(8);
  const auto passes = [](Module& layer, const Shape& in, const Shape& out) {
    CAPTURE(layer.describe());
    std::vector<Tensor> buffers;
    for (const auto& [name, buffer] : layer.named_buffers()) {
      buffers.push_back(buffer.clone());
    }
    for (bool training : {true, false}) {
      layer.train(training);
      const Tensor x = Tensor::zeros(in).requires_grad_();
      const Tensor y = layer(x);
      CHECK(y.shape() == out);
      y.backward(Tensor::zeros(out));
      CHECK(x.grad().shape() == in);
      for (const Tensor& parameter : layer.parameters()) {
        CHECK(largest(parameter.grad()) == 0);
      }
    }
    const auto after = layer.named_buffers();
    for (std::size_t i = 0; i < buffers.size(); ++i) {
      CHECK(identical(buffers[i], after[i].second));
    }
  };
  Conv2d conv(4, 6, 3, {.padding = 1, .padding_mode = PaddingMode::reflect}, rng);
  passes(conv, {0, 4, 6, 8}, {0, 6, 6, 8});
  Conv2d fused(4, 6, 3, {.stride = 2}, rng);
  fused.then(Activation::relu);
  passes(fused, {0, 4, 7, 7}, {0, 6, 3, 3});
  ConvTranspose2d larger(4, 6, 3, {.stride = 2}, rng);
  passes(larger, {0, 4, 3, 3}, {0, 6, 7, 7});
  Linear affine(8, 3, {}, rng);
  passes(affine, {0, 8}, {0, 3});
  const Shape pictures{0, 4, 6, 8};
  BatchNorm2d batch(4);
  passes(batch, pictures, pictures);
  passes(batch, {0, 4, 1, 1}, {0, 4, 1, 1});
  BatchNorm2d average(4, {.momentum = std::nullopt, .affine = false});
  average.then(Activation::relu);
  passes(average, pictures, pictures);
  BatchNorm1d row(4);
  passes(row, {0, 4}, {0, 4});
  passes(row, {0, 4, 5}, {0, 4, 5});
  InstanceNorm2d instance(4, {.affine = true, .track_running_stats = true});
  passes(instance, pictures, pictures);
  GroupNorm group(2, 4);
  passes(group, pictures, pictures);
  LayerNorm layer({6, 8});
  passes(layer, pictures, pictures);
  BatchInstanceNorm2d both(4);
  passes(both, pictures, pictures);
  ConditionalInstanceNorm2d conditional(3, 4);
  conditional.set_style(1);
  passes(conditional, pictures, pictures);
  CHECK(adaptive_instance_norm(Tensor::zeros(pictures), Tensor::ones({1, 4, 3, 3})).shape() == pictures);
  for (const std::shared_ptr<Module>& module : std::initializer_list<std::shared_ptr<Module>>{
           std::make_shared<ReLU>(), std::make_shared<LeakyReLU>(0.2), std::make_shared<Tanh>(),
           std::make_shared<Sigmoid>()}) {
    passes(*module, pictures, pictures);
  }
  const auto sized = [&](const std::shared_ptr<Module>& module, Index height, Index width) {
    passes(*module, pictures, {0, 4, height, width});
  };
  sized(std::make_shared<MaxPool2d>(), 3, 4);
  sized(std::make_shared<AvgPool2d>(), 3, 4);
  sized(std::make_shared<Upsample>(), 12, 16);
  sized(std::make_shared<Upsample>(UpsampleOptions{.scale = 1.5, .mode = UpsampleMode::bilinear}), 9, 12);
  sized(std::make_shared<ReflectionPad2d>(Padding2d{1, 2, 3, 0}), 9, 11);
  Flatten flatten;
  passes(flatten, pictures, {0, 192});
}

TEST_CASE("activations and pooling of other people's networks as layers") {
  const Tensor x = random_input({2, 3, 4, 5}).detach().to(float32);
  CHECK(identical(SiLU()(x), silu(x)));
  CHECK(identical(GELU()(x), gelu(x)));
  CHECK(identical(GELU(GeluApproximation::tanh)(x), gelu(x, GeluApproximation::tanh)));
  CHECK(identical(Softmax(1)(x), softmax(x, 1)));
  CHECK(identical(AdaptiveAvgPool2d({2, 3})(x), adaptive_avg_pool2d(x, {2, 3})));
  PReLU prelu_layer(3);
  CHECK(prelu_layer.state_dict().at(0).first == "weight");
  CHECK(identical(prelu_layer(x), prelu(x, Tensor::full({3}, 0.25))));
  CHECK(prelu_layer.describe() == "PReLU(num_parameters=3)");
  CHECK(AdaptiveAvgPool2d(1).describe() == "AdaptiveAvgPool2d(output_size=1)");
  CHECK(MaxPool2d({.kernel = {2, 3}, .stride = 1}).describe() ==
        "MaxPool2d(kernel_size=(2, 3), stride=1, padding=0)");
  Generator rng(1);
  CHECK(Conv2d(3, 2, {2, 3}, {.same = true}, rng).describe() ==
        "Conv2d(3, 2, kernel_size=(2, 3), padding=same)");
}
