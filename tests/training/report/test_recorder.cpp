// The recorder: what it writes is what the layers saw, and a network without one pays nothing.
#include "gesso/training/report/recorder.h"

#include <cmath>
#include <fstream>

#include "files.h"
#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/node.h"
#include "gesso/autograd/reduce.h"
#include "gesso/layers/conv2d.h"
#include "gesso/layers/normalization/batch_instance.h"
#include "gesso/layers/normalization/batch_norm.h"
#include "gesso/layers/normalization/conditional.h"
#include "gesso/layers/normalization/group_norm.h"
#include "gesso/layers/normalization/instance_norm.h"
#include "gesso/layers/sequential.h"
#include "gesso/training/optim/sgd.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

struct Net : Module {
  Conv2d conv;
  Sequential inner;
  InstanceNorm2d first{3, {.affine = true}};

  explicit Net(Generator& rng) : conv(2, 3, 3, {.padding = 1}, rng) {
    register_module("conv", conv);
    register_module("first", first);
    inner.emplace<BatchNorm2d>(3).then(Activation::relu);
    inner.emplace<GroupNorm>(1, 3);
    register_module("inner", inner);
  }
  Tensor forward(const Tensor& x) override { return inner(relu(first(conv(x)))); }
};

double norm_of(const Tensor& x) { return std::sqrt(sum(square(x.detach())).item()); }

void check_near(const std::vector<double>& found, const Tensor& expected) {
  const std::vector<double> values = expected.to_vector();
  REQUIRE(found.size() == values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    CHECK(found[i] == doctest::Approx(values[i]).epsilon(1e-4));
  }
}

}  // namespace

TEST_CASE("records hold what an independent computation finds") {
  const TemporaryFolder folder;
  Generator rng(3);
  Net net(rng);
  net.first.weight.copy_(Tensor::from({1, -2, 0.5}, {3}));
  net.first.bias.copy_(Tensor::from({0, 0.5, -9}, {3}));  // the last channel is dead
  const Tensor x = Tensor::randn({2, 2, 5, 4}, rng), upstream = Tensor::randn({2, 3, 5, 4}, rng);
  Tensor conv_out, first_out;
  net.conv.register_forward_hook(
      [&](Module&, const Tensor&, const Tensor& y) { (conv_out = y).retain_grad(); });
  net.first.register_forward_hook(
      [&](Module&, const Tensor&, const Tensor& y) { (first_out = y).retain_grad(); });
  {
    NormalizationRecorder recorder(net, folder / "n.jsonl");
    net(x).backward(upstream);
    recorder.end_step();
  }
  const std::vector<NormalizationRecord> records = read_normalization_records(folder / "n.jsonl");
  REQUIRE(records.size() == 3);
  CHECK(records[0].layer == "first");
  CHECK(records[1].layer == "inner.0");
  CHECK(records[2].layer == "inner.1");
  const NormalizationRecord& r = records[0];
  CHECK(r.step == 1);
  CHECK(r.type == "InstanceNorm2d");
  CHECK(r.statistics == "per_instance");
  check_near(r.mean, mean(conv_out, {0, 2, 3}));
  check_near(r.variance, mean(variance(conv_out, {2, 3}, {.unbiased = false}), {0}));
  CHECK(r.gamma == std::vector<double>{1, -2, 0.5});
  CHECK(r.beta == std::vector<double>{0, 0.5, -9});
  check_near(r.output_mean, mean(first_out, {0, 2, 3}));
  check_near(r.output_variance, variance(first_out, {0, 2, 3}, {.unbiased = false}));
  double closed = 0;
  for (double v : first_out.to_vector()) {
    closed += v <= 0 ? 1 : 0;
  }
  CHECK(r.closed == doctest::Approx(closed / 120).epsilon(1e-5));
  CHECK(r.dead == doctest::Approx(1.0 / 3).epsilon(1e-5));
  CHECK(r.output_gradient == doctest::Approx(norm_of(first_out.grad())).epsilon(1e-5));
  CHECK(r.input_gradient == doctest::Approx(norm_of(conv_out.grad())).epsilon(1e-5));
  CHECK(r.gamma_gradient == doctest::Approx(norm_of(net.first.weight.grad())).epsilon(1e-5));
  CHECK(r.beta_gradient == doctest::Approx(norm_of(net.first.bias.grad())).epsilon(1e-5));
  CHECK(records[1].statistics == "per_batch");
  CHECK(records[1].output_mean.size() == 3);
  CHECK(records[2].mean.size() == 1);  // one group
  CHECK(records[2].gamma.size() == 3);
}

TEST_CASE("every member can be recorded") {
  const TemporaryFolder folder;
  Generator rng(4);
  Sequential net;
  net.emplace<Conv2d>(2, 4, 3, Conv2dOptions{.padding = 1}, rng);
  net.emplace<InstanceNorm2d>(4);
  net.emplace<LayerNorm>(Shape{4, 3, 3});
  net.emplace<ConditionalInstanceNorm2d>(2, 4).set_styles({0, 1});
  net.emplace<BatchInstanceNorm2d>(4);
  net.emplace<BatchNorm2d>(4, BatchNormOptions{.affine = false}).eval();
  NormalizationRecorder recorder(net, folder / "n.jsonl");
  sum(net(Tensor::randn({2, 2, 3, 3}, rng))).backward();
  recorder.end_step();
  const std::vector<NormalizationRecord> records = read_normalization_records(folder / "n.jsonl");
  REQUIRE(records.size() == 5);
  CHECK(records[0].gamma.empty());
  CHECK(std::isnan(records[0].gamma_gradient));
  CHECK(records[1].gamma.size() == 1);
  CHECK(records[1].output_mean.size() == 1);
  CHECK(records[2].gamma.size() == 4);
  CHECK(records[3].type == "BatchInstanceNorm2d");
  CHECK(records[4].statistics == "running");
  CHECK(records[4].variance == std::vector<double>{1, 1, 1, 1});
}

TEST_CASE("every n-th step is recorded, forwards outside of training are not, and training is untouched") {
  const TemporaryFolder folder;
  const auto train = [&](bool record) {
    Generator rng(5);
    Net net(rng);
    SGD sgd(net.parameters(), {.lr = 0.1});
    std::unique_ptr<NormalizationRecorder> recorder;
    if (record) {
      recorder = std::make_unique<NormalizationRecorder>(net, folder / "n.jsonl",
                                                         NormalizationRecorderOptions{.every = 3});
    }
    for (int step = 1; step <= 7; ++step) {
      sgd.zero_grad();
      mean(square(net(Tensor::randn({2, 2, 4, 4}, rng)))).backward();
      {
        const NoGradGuard no_grad;
        net.eval();
        net(Tensor::zeros({1, 2, 4, 4}));
        net.train();
      }
      if (recorder) {
        recorder->end_step();
      }
      sgd.step();
    }
    return net.conv.weight.detach().clone();
  };
  CHECK(identical(train(true), train(false)));
  const std::vector<NormalizationRecord> records = read_normalization_records(folder / "n.jsonl");
  REQUIRE(records.size() == 6);
  CHECK(records[0].step == 3);
  CHECK(records[5].step == 6);
  CHECK(records[1].statistics == "per_batch");
  CHECK(std::isfinite(records[4].input_gradient));
}

TEST_CASE("a resumed run goes on where it stopped") {
  const TemporaryFolder folder;
  Generator rng(6);
  Net net(rng);
  const auto run = [&](Index first, int steps) {
    NormalizationRecorder recorder(net, folder / "n.jsonl", {.first_step = first});
    for (int i = 0; i < steps; ++i) {
      mean(net(Tensor::randn({2, 2, 4, 4}, rng))).backward();
      recorder.end_step();
    }
  };
  run(1, 5);
  std::ofstream(folder / "n.jsonl", std::ios::app) << "{\"step\": 6, \"lay";  // a kill
  run(4, 2);
  std::vector<Index> steps;
  for (const NormalizationRecord& record : read_normalization_records(folder / "n.jsonl")) {
    if (record.layer == "first") {
      steps.push_back(record.step);
    }
  }
  CHECK(steps == std::vector<Index>{1, 2, 3, 4, 5});
}

TEST_CASE("nothing is left of a recorder that is gone, not even on a leaf") {
  const TemporaryFolder folder;
  Generator rng(7);
  InstanceNorm2d norm(2);
  const Tensor x = random_input({1, 2, 3, 3});
  norm.to(float64);
  {
    NormalizationRecorder recorder(norm, folder / "n.jsonl");
    sum(norm(x)).backward();
    recorder.end_step();
    CHECK(x.node()->hooks.empty());
    sum(norm(x)).backward();  // and none that never ended its step
  }
  CHECK(x.node()->hooks.empty());
  const Tensor pending = norm(x);
  {
    NormalizationRecorder recorder(norm, folder / "n.jsonl");
    norm(x);
  }
  pending.backward(x.detach());
  sum(norm(x)).backward();
  CHECK(read_normalization_records(folder / "n.jsonl").empty());
}

TEST_CASE("bad files and options are named") {
  const TemporaryFolder folder;
  InstanceNorm2d norm(2);
  CHECK_THROWS_AS(NormalizationRecorder(norm, folder / "n.jsonl", {.every = 0}), ArgumentError);
  CHECK_THROWS_AS(NormalizationRecorder(norm, folder / "missing/n.jsonl"), FileError);
  std::ofstream(folder / "bad.jsonl") << "{\"step\": 1}\n";
  CHECK_THROWS_WITH_AS(read_normalization_records(folder / "bad.jsonl"),
                       doctest::Contains("line 1 is not a record"), FileError);
  CHECK(read_normalization_records(folder / "none.jsonl").empty());
}
