// The layers of the normalization family: modes, running statistics, printing, state, errors.
#include <sstream>

#include "gesso/autograd/elementwise.h"
#include "gesso/layers/batch_norm.h"
#include "gesso/layers/conv2d.h"
#include "gesso/layers/instance_norm.h"
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
  BatchNorm2d batch(8, {.momentum = std::nullopt, .relu = true});
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

TEST_CASE("relu as an option is relu afterwards, running statistics and all") {
  const Tensor x = random({2, 3, 5, 5});
  BatchNorm2d with(3, {.relu = true}), without(3);
  CHECK(identical(with(x), relu(without(x))));
  with.eval();
  without.eval();
  CHECK(identical(with(x), relu(without(x))));
  CHECK(identical(with.running_var, without.running_var));
}

TEST_CASE("gradients of every layer, after a convolution") {
  Generator rng(9);
  Conv2d conv(2, 4, 3, {.padding = 1}, rng);
  conv.to(float64);
  const Tensor x = random_input({2, 2, 4, 3});
  const auto check = [&](Module& norm) {
    norm.to(float64);
    for (Tensor parameter : norm.parameters()) {
      parameter.copy_(Tensor::randn(parameter.shape(), rng));
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
  for (Module* norm :
       {static_cast<Module*>(&instance), static_cast<Module*>(&tracked), static_cast<Module*>(&batch)}) {
    check(*norm);
    norm->eval();
    check(*norm);
  }
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
  CHECK_THROWS_AS(BatchNorm2d(3, {.eps = -1}), ArgumentError);
}
