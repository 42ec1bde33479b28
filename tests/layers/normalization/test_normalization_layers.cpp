// The layers of the normalization family: modes, running statistics, printing, state, errors.
#include <sstream>

#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/reduce.h"
#include "gesso/layers/conv2d.h"
#include "gesso/layers/normalization/batch_instance.h"
#include "gesso/layers/normalization/batch_norm.h"
#include "gesso/layers/normalization/conditional.h"
#include "gesso/layers/normalization/group_norm.h"
#include "gesso/layers/normalization/instance_norm.h"
#include "gesso/layers/sequential.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

std::vector<std::string> keys(const Module& module) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : module.state_dict()) {
    names.push_back(name);
  }
  return names;
}

std::string printed(const Module& module) {
  std::ostringstream text;
  text << module;
  return text.str();
}

Tensor random(const Shape& shape, std::uint64_t seed = 5) {
  Generator rng(seed);
  return Tensor::randn(shape, rng);
}

}  // namespace

TEST_CASE("defaults and state keys are PyTorch's") {
  using Keys = std::vector<std::string>;
  CHECK(keys(InstanceNorm2d(3)) == Keys{});
  CHECK(keys(InstanceNorm2d(3, {.affine = true})) == Keys{"weight", "bias"});
  CHECK(keys(InstanceNorm2d(3, {.track_running_stats = true})) ==
        Keys{"running_mean", "running_var", "num_batches_tracked"});
  CHECK(keys(BatchNorm2d(3)) == Keys{"weight", "bias", "running_mean", "running_var", "num_batches_tracked"});
  CHECK(keys(BatchNorm1d(3, {.affine = false})) ==
        Keys{"running_mean", "running_var", "num_batches_tracked"});
  BatchNorm2d norm(2);
  CHECK(norm.weight.to_vector() == std::vector<double>{1, 1});
  CHECK(norm.bias.to_vector() == std::vector<double>{0, 0});
  CHECK(norm.running_mean.to_vector() == std::vector<double>{0, 0});
  CHECK(norm.running_var.to_vector() == std::vector<double>{1, 1});
  CHECK(norm.parameters().size() == 2);
  CHECK(norm.eps() == 1e-5);
}

TEST_CASE("printing says which statistics are used now") {
  InstanceNorm2d plain(32, {.affine = true});
  CHECK(printed(plain) ==
        "InstanceNorm2d(32, eps=1e-05, momentum=0.1, affine=true, track_running_stats=false, "
        "statistics=per_instance)");
  BatchNorm2d batch(8, {.momentum = std::nullopt});
  batch.then(Activation::relu);
  CHECK(printed(batch) ==
        "BatchNorm2d(8, eps=1e-05, momentum=none, affine=true, track_running_stats=true, relu=true, "
        "statistics=per_batch)");
  batch.eval();
  CHECK(printed(batch).find("statistics=running)") != std::string::npos);
}

TEST_CASE("statistics by mode and tracking, and told directly") {
  for (bool track : {false, true}) {
    InstanceNorm2d instance(2, {.track_running_stats = track});
    BatchNorm2d batch(2, {.track_running_stats = track});
    CHECK(instance.statistics() == Statistics::per_instance);
    CHECK(batch.statistics() == Statistics::per_batch);
    instance.eval();
    batch.eval();
    CHECK(instance.statistics() == (track ? Statistics::running : Statistics::per_instance));
    CHECK(batch.statistics() == (track ? Statistics::running : Statistics::per_batch));
  }
  const Tensor x = random({3, 2, 4, 5});
  BatchNorm2d batch(2, {.affine = false});
  batch.eval();
  batch.set_statistics(Statistics::per_instance);  // a batch norm that is used as instance norm
  CHECK(batch.statistics() == Statistics::per_instance);
  CHECK(identical(batch(x), InstanceNorm2d(2)(x)));
  CHECK(batch.running_mean.to_vector() == std::vector<double>{0, 0});  // no training, no collecting
  batch.train();
  batch.set_statistics(Statistics::running);
  CHECK(identical(batch(x), batch_norm(x, {batch.running_mean, batch.running_var})));
  CHECK(batch.num_batches_tracked.item() == 0);
  batch.set_statistics({});
  CHECK(batch.statistics() == Statistics::per_batch);
  CHECK(identical(batch(x), batch_norm(x, {}, {}, {}, true)));
  CHECK(batch.num_batches_tracked.item() == 1);
  InstanceNorm2d instance(2);
  instance.set_statistics(Statistics::per_batch);
  CHECK(identical(instance(x), batch_norm(x, {}, {}, {}, true)));
  CHECK_THROWS_WITH_AS(instance.set_statistics(Statistics::running),
                       doctest::Contains(".track_running_stats = true"), ArgumentError);
  CHECK(instance.statistics() == Statistics::per_batch);
}

TEST_CASE("a momentum of none averages all batches alike") {
  BatchNorm2d norm(1, {.momentum = std::nullopt});
  double mean = 0, variance = 0;
  for (int step = 1; step <= 3; ++step) {
    const Tensor x = random({2, 1, 3, 3}, step);
    norm(x);
    RunningStatistics seen{Tensor::zeros({1}), Tensor::zeros({1})};
    batch_norm(x, seen, {}, {}, true, {.momentum = 1});
    mean += seen.mean.item();
    variance += seen.variance.item();
    CHECK(norm.num_batches_tracked.item() == step);
    CHECK(norm.running_mean.item() == doctest::Approx(mean / step).epsilon(1e-5));
    CHECK(norm.running_var.item() == doctest::Approx(variance / step).epsilon(1e-5));
  }
  norm.reset_running_stats();
  CHECK(norm.num_batches_tracked.item() == 0);
  CHECK(norm.running_mean.item() == 0);
  CHECK(norm.running_var.item() == 1);
}

TEST_CASE("an unbatched sample is a batch of one") {
  const Tensor x = random({3, 4, 5});
  InstanceNorm2d norm(3, {.affine = true});
  const Tensor y = norm(x);
  CHECK(y.shape() == x.shape());
  CHECK(identical(y.reshape({1, 3, 4, 5}), norm(x.reshape({1, 3, 4, 5}))));
  CHECK(InstanceNorm1d(4)(random({4, 9})).shape() == Shape{4, 9});
  CHECK(InstanceNorm3d(2)(random({2, 3, 2, 2})).shape() == Shape{2, 3, 2, 2});
  CHECK(InstanceNorm3d(2)(random({5, 2, 3, 2, 2})).shape() == Shape{5, 2, 3, 2, 2});
}

TEST_CASE("a relu in the same pass is relu afterwards, running statistics and all") {
  const Tensor x = random({2, 3, 5, 5});
  BatchNorm2d with(3), without(3);
  with.then(Activation::relu);
  CHECK(identical(with(x), relu(without(x))));
  with.eval();
  without.eval();
  CHECK(identical(with(x), relu(without(x))));
  CHECK(identical(with.running_var, without.running_var));
  BatchInstanceNorm2d mixed_with(3), mixed_without(3);
  mixed_with.then(Activation::relu);
  for (BatchInstanceNorm2d* norm : {&mixed_with, &mixed_without}) {
    norm->rho.fill_(0.5);
  }
  CHECK(identical(mixed_with(x), relu(mixed_without(x))));
}

TEST_CASE("gradients of every layer, after a convolution") {
  Generator rng(9);
  Conv2d conv(2, 4, 3, {.padding = 1}, rng);
  conv.to(float64);
  const Tensor x = random_input({2, 2, 4, 3});
  const auto check = [&](Module& norm) {
    norm.to(float64);
    for (Tensor parameter : norm.parameters()) {
      parameter.copy_(Tensor::uniform(parameter.shape(), rng, 0.1, 0.9));  // where rho is free
    }
    GradcheckOptions options;
    options.parameters = conv.named_parameters();
    for (const auto& entry : norm.named_parameters()) {
      options.parameters.emplace_back("norm." + entry.first, entry.second);
    }
    check_gradients([&](const auto& in) { return norm(conv(in[0])); }, {x}, options);
  };
  InstanceNorm2d instance(4, {.affine = true}), tracked(4, {.track_running_stats = true});
  BatchNorm2d batch(4);
  GroupNorm group(2, 4);
  group.then(Activation::relu);
  LayerNorm layer({4, 4, 3});
  ConditionalInstanceNorm2d conditional(3, 4);
  conditional.set_mix(Tensor::from({0.3, 0.7, 0, 1, -1, 0.5}, {2, 3}));
  BatchInstanceNorm2d mixed(4), mixed_relu(4);
  mixed_relu.then(Activation::relu);
  const std::vector<Module*> norms = {&instance, &tracked,     &batch, &group,
                                      &layer,    &conditional, &mixed, &mixed_relu};
  for (Module* norm : norms) {
    CAPTURE(norm->type_name());
    check(*norm);
    norm->eval();
    check(*norm);
  }
}

TEST_CASE("group norm spans instance norm and layer norm") {
  const Tensor x = random({2, 6, 3, 5});
  CHECK(identical(GroupNorm(6, 6)(x), InstanceNorm2d(6)(x)));
  CHECK(identical(GroupNorm(1, 6)(x), LayerNorm({6, 3, 5})(x)));
  const Tensor halves = GroupNorm(2, 6, {.affine = false})(x);
  CHECK(largest_difference(mean(halves.reshape({2, 2, 3, 3, 5}), {2, 3, 4}), Tensor::zeros({2, 2})) < 1e-6);
  CHECK(printed(GroupNorm(2, 6)) == "GroupNorm(2, 6, eps=1e-05, affine=true, statistics=per_instance)");
  CHECK(printed(LayerNorm({6, 3})) ==
        "LayerNorm((6, 3), eps=1e-05, elementwise_affine=true, statistics=per_instance)");
  CHECK(keys(LayerNorm({6}, {.elementwise_affine = false})).empty());
  CHECK(LayerNorm({6, 3}).weight.shape() == Shape{6, 3});
}

TEST_CASE("conditional instance norm takes the row of each sample's style, or a mix of rows") {
  Generator rng(2);
  ConditionalInstanceNorm2d norm(3, 2);
  norm.weight.copy_(Tensor::randn({3, 2}, rng));
  norm.bias.copy_(Tensor::randn({3, 2}, rng));
  const auto style = [&](Index s) {  // the instance norm with row s
    auto one = std::make_shared<InstanceNorm2d>(2, InstanceNormOptions{.affine = true});
    one->weight.copy_(norm.weight.detach().slice(s, s + 1).reshape({2}));
    one->bias.copy_(norm.bias.detach().slice(s, s + 1).reshape({2}));
    return one;
  };
  const Tensor x = random({2, 2, 4, 3});
  CHECK(identical(norm(x), (*style(0))(x)));
  norm.set_style(2);
  CHECK(identical(norm(x), (*style(2))(x)));
  CHECK(identical(norm(x.slice(0, 1).reshape({2, 4, 3})), (*style(2))(x.slice(0, 1).reshape({2, 4, 3}))));
  norm.set_styles({1, 2});
  CHECK(identical(norm(x).slice(0, 1), (*style(1))(x).slice(0, 1)));
  CHECK(identical(norm(x).slice(1, 2), (*style(2))(x).slice(1, 2)));
  // y is linear in the mix
  norm.set_mix(Tensor::from({0.25, 0.75, 0}, {1, 3}));
  CHECK(largest_difference(norm(x), 0.25 * (*style(0))(x) + 0.75 * (*style(1))(x)) < 1e-6);
  norm.to(float64);
  check_gradients(
      [&](const auto& in) {
        norm.set_mix(in[0]);
        return norm(in[1]);
      },
      {random_input({2, 3}), random_input(x.shape())});

  Sequential net{std::make_shared<ConditionalInstanceNorm2d>(3, 2), std::make_shared<InstanceNorm2d>(2),
                 std::make_shared<Sequential>(std::initializer_list<std::shared_ptr<Module>>{
                     std::make_shared<ConditionalInstanceNorm2d>(3, 2)})};
  net.parameters()[2].copy_(Tensor::from({1, 1, 2, 2, 3, 3}, {3, 2}));  // the inner weight
  const Tensor before = net(x);
  set_styles(net, {2});
  CHECK(largest_difference(net(x), 3.0 * before) < 1e-5);
  set_style_mix(net, Tensor::from({1, 0, 0}, {1, 3}));
  CHECK(identical(net(x), before));

  ConditionalInstanceNorm2d bad(3, 2);
  CHECK_THROWS_WITH_AS(bad.set_style(3), doctest::Contains("there are styles 0 to 2"), ArgumentError);
  CHECK_THROWS_AS(bad.set_style(-1), ArgumentError);
  CHECK_THROWS_AS(bad.set_styles({}), ArgumentError);
  CHECK_THROWS_WITH_AS(bad.set_mix(Tensor::zeros({3})), doctest::Contains("needs (N, 3)"), ArgumentError);
  CHECK_THROWS_WITH_AS(bad(Tensor::zeros({2, 3, 4, 4})), doctest::Contains("takes (N, 2, H, W)"),
                       ArgumentError);
  bad.set_styles({0, 1});
  CHECK_THROWS_WITH_AS(bad(x.slice(0, 1)), doctest::Contains("styles were set for 2 samples"), ArgumentError);
  CHECK_THROWS_WITH_AS(bad.set_statistics(Statistics::running), doctest::Contains("only per_instance"),
                       ArgumentError);
  CHECK_THROWS_AS(ConditionalInstanceNorm2d(0, 2), ArgumentError);
}

TEST_CASE("adaptive instance norm gives the content the style's mean and deviation") {
  const Tensor content = random({2, 3, 4, 5}) * 2.0 + 1.0, style = random({2, 3, 7, 2}, 6) * 3.0 - 4.0;
  const Tensor y = adaptive_instance_norm(content, style);
  CHECK(y.shape() == content.shape());
  CHECK(largest_difference(mean(y, {2, 3}), mean(style, {2, 3})) < 1e-5);
  CHECK(largest_difference(variance(y, {2, 3}, {.unbiased = false}),
                           variance(style, {2, 3}, {.unbiased = false})) < 2e-4);  // eps
  CHECK(largest_difference(adaptive_instance_norm(content, content), content) < 1e-5);
  CHECK(identical(adaptive_instance_norm(content, style.slice(0, 1)).slice(0, 1), y.slice(0, 1)));
  const Tensor c = random_input({2, 2, 3, 3}), s = random_input({2, 2, 2, 4}, 8),
               s1 = random_input({1, 2, 5}, 8);
  check_gradients([](const auto& in) { return adaptive_instance_norm(in[0], in[1]); }, {c, s});
  check_gradients([](const auto& in) { return adaptive_instance_norm(in[0], in[1], {}, Activation::relu); },
                  {c, s1});
  CHECK_THROWS_WITH_AS(adaptive_instance_norm(content, random({1, 6, 7, 1})),
                       doctest::Contains("it needs the same channels"), ArgumentError);
  CHECK_THROWS_AS(adaptive_instance_norm(random({3, 3, 4, 5}), style), ArgumentError);
}

TEST_CASE("batch-instance norm runs from batch norm to instance norm and keeps rho in [0, 1]") {
  const Tensor x = random({3, 2, 4, 5}) * 2.0 + 1.0;
  BatchInstanceNorm2d mixed(2);
  InstanceNorm2d instance(2);
  BatchNorm2d batch(2);
  CHECK(keys(mixed) == std::vector<std::string>{"weight", "bias", "rho", "running_mean", "running_var",
                                                "num_batches_tracked"});
  CHECK(largest_difference(mixed(x), batch(x)) < 1e-6);
  CHECK(identical(mixed.running_var, batch.running_var));
  mixed.rho.fill_(0);
  CHECK(largest_difference(mixed(x), instance(x)) < 1e-6);
  mixed.rho.fill_(0.25);
  CHECK(largest_difference(mixed(x), 0.25 * batch(x) + 0.75 * instance(x)) < 1e-6);
  mixed.eval();
  CHECK(mixed.statistics() == Statistics::running);
  mixed.rho.copy_(Tensor::from({1.5, -0.5}, {2}));
  mixed(x);
  CHECK(mixed.rho.to_vector() == std::vector<double>{1, 0});
  BatchInstanceNorm2d bare(2, {.affine = false, .track_running_stats = false});
  CHECK(keys(bare) == std::vector<std::string>{"rho"});
  CHECK(bare(x).shape() == x.shape());
  CHECK_THROWS_WITH_AS(bare.set_statistics(Statistics::per_instance), doctest::Contains("set rho to 0"),
                       ArgumentError);
  CHECK_THROWS_AS(bare.set_statistics(Statistics::running), ArgumentError);
}

TEST_CASE("wrong inputs are refused with a remedy") {
  const auto refuses = [](Module& norm, const Shape& shape, const char* text) {
    CHECK_THROWS_WITH_AS(norm(Tensor::zeros(shape)), doctest::Contains(text), ArgumentError);
  };
  InstanceNorm1d in1(3);
  InstanceNorm2d in2(3);
  InstanceNorm3d in3(3);
  BatchNorm1d bn1(3);
  BatchNorm2d bn2(3);
  refuses(in1, {1, 3, 4, 4}, "InstanceNorm1d: x has shape (1, 3, 4, 4); it takes (N, C, L) or (C, L)");
  refuses(in2, {3, 4}, "it takes (N, C, H, W) or (C, H, W)");
  refuses(in3, {3, 4}, "it takes (N, C, D, H, W) or (C, D, H, W)");
  refuses(bn1, {2, 3, 4, 4}, "it takes (N, C) or (N, C, L)");
  refuses(bn2, {3, 4, 4}, "BatchNorm2d: x has shape (3, 4, 4); it takes (N, C, H, W)");
  refuses(in2, {1, 4, 4, 4}, "has 4 channels, the layer 3; construct it with 4");
  refuses(in2, {4, 4, 4}, "has 4 channels, the layer 3");
  refuses(bn2, {1, 2, 4, 4}, "has 2 channels, the layer 3");
  refuses(in2, {2, 3, 1, 1}, "Use larger pictures");
  refuses(bn2, {1, 3, 1, 1}, "Use a larger batch");
  refuses(bn1, {1, 3}, "Use a larger batch");
  CHECK(bn1.num_batches_tracked.item() == 0);
  bn1.eval();
  CHECK_NOTHROW(bn1(Tensor::zeros({1, 3})));
  CHECK_THROWS_AS(in2({}), ArgumentError);
  CHECK_THROWS_AS(InstanceNorm2d(0), ArgumentError);
  GroupNorm gn(2, 4);
  LayerNorm ln({4, 4});
  refuses(gn, {2, 6, 4}, "GroupNorm: x has shape (2, 6, 4); it takes (N, 4, ...)");
  refuses(gn, {4}, "it takes (N, 4, ...)");
  refuses(ln, {2, 4, 5}, "does not end in normalized_shape (4, 4)");
  CHECK_THROWS_WITH_AS(GroupNorm(3, 4), doctest::Contains("cannot be cut into 3 groups"), ArgumentError);
  CHECK_THROWS_AS(LayerNorm({}), ArgumentError);
  CHECK_THROWS_AS(LayerNorm({4, 0}), ArgumentError);
  CHECK_THROWS_AS(gn.set_statistics(Statistics::per_batch), ArgumentError);
  CHECK_THROWS_AS(BatchNorm2d(3, {.eps = -1}), ArgumentError);
}
