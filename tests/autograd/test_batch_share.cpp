#include "gesso/autograd/batch_share.h"

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "gesso/autograd/convolution.h"
#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/gradcheck.h"
#include "gesso/autograd/graph.h"
#include "gesso/autograd/linear.h"
#include "gesso/autograd/losses.h"
#include "gesso/autograd/normalization.h"
#include "gesso/autograd/reduce.h"
#include "gesso/autograd/shape_ops.h"
#include "gesso/core/error.h"
#include "gesso/layers/activations.h"
#include "gesso/layers/conv2d.h"
#include "gesso/layers/normalization/batch_instance.h"
#include "gesso/layers/normalization/batch_norm.h"
#include "gesso/layers/normalization/conditional.h"
#include "gesso/layers/normalization/group_norm.h"
#include "gesso/layers/normalization/instance_norm.h"
#include "gesso/layers/sequential.h"
#include "support.h"
#include "thread_ranks.h"

using namespace gesso;
using gesso::testing::check_gradients;
using gesso::testing::on_ranks;
using gesso::testing::random_input;
using gesso::testing::ThreadGroup;

namespace {

using Numbers = std::map<std::string, std::vector<double>>;

// What `work` returns on rank 0, after a check that all ranks return the same.
Numbers of_ranks(int ranks, const std::function<Numbers(ProcessGroup&)>& work) {
  Numbers first;
  std::mutex mutex;
  std::vector<Numbers> others;
  on_ranks(ranks, [&](ProcessGroup& group) {
    Numbers own = work(group);
    std::lock_guard lock(mutex);
    group.rank() == 0 ? static_cast<void>(first = std::move(own)) : others.push_back(std::move(own));
  });
  for (const Numbers& other : others) {
    CHECK(other == first);
  }
  return first;
}

Tensor own_part(const Tensor& batch) {
  const auto share = BatchShare::current();
  return batch.slice(share->first(), share->first() + share->count()).clone();
}

using MakeNorm = std::function<std::unique_ptr<Module>(Index)>;

// A small network with a normalization after its convolutions.
struct Net : Module {
  Net(const MakeNorm& make_norm, Generator& rng)
      : conv1(3, 16, 5, {.padding = 2, .padding_mode = PaddingMode::reflect}, rng),
        conv2(16, 17, 3, {.stride = 2, .padding = 1}, rng),
        conv3(17, 32, 3, {.padding = 1}, rng),
        conv4(32, 32, 3, {.padding = 1}, rng),
        norm1(make_norm(16)),
        norm2(make_norm(17)),
        norm3(make_norm(32)) {
    register_module("conv1", conv1);
    register_module("conv2", conv2);
    register_module("conv3", conv3);
    register_module("conv4", conv4);
    register_module("norm1", *norm1);
    register_module("norm2", *norm2);
    register_module("norm3", *norm3);
  }
  Tensor forward(const Tensor& x) override {
    return (*norm3)(conv4(conv3(relu((*norm2)(conv2((*norm1)(conv1(x))))))));
  }
  Conv2d conv1, conv2, conv3, conv4;
  std::unique_ptr<Module> norm1, norm2, norm3;
};

// The loss, all gradients and the state of a network after a step on a batch of random pictures.
Numbers one_step(ProcessGroup& group, Index batch, const MakeNorm& make_norm) {
  Generator rng(3);
  Net net(make_norm, rng);
  const Tensor x = Tensor::randn({batch, 3, 19, 22}, rng), target = Tensor::randn({batch, 32, 10, 11}, rng);
  std::vector<Index> styles;
  for (Index n = 0; n < batch; ++n) {
    styles.push_back(n % 3 == 1 ? 0 : 1);
  }
  set_styles(net, styles);
  const BatchShareGuard guard(group, batch);
  const Tensor loss = mean(gather_samples(mse_of_samples(net(own_part(x)), own_part(target))));
  loss.backward();
  Numbers numbers = {{"loss", loss.to_vector()}};
  for (const auto& [name, parameter] : net.named_parameters()) {
    numbers["gradient of " + name] = parameter.grad().to_vector();
  }
  for (const auto& [name, tensor] : net.state_dict()) {
    numbers[name] = tensor.to_vector();
  }
  return numbers;
}

// This rank's rows of a batch that every rank has; backward brings the gradients of all ranks' rows together.
Tensor share_out(const Tensor& batch) {
  const auto share = BatchShare::current();
  return record(
      "share_out", own_part(batch), {batch}, [share, shape = batch.shape()](const Tensor& dy, Gradients& d) {
        d(0, [&] {
          return Tensor::from(share->gather("share_out", dy.size(0), dy.to_vector())(), shape, float64);
        });
      });
}

// gradcheck() of a function of a rank's own samples, on three ranks that have 2, 2 and 1 of 5.
void check_shared_gradients(
    const Shape& shape, const std::vector<Tensor>& parameters,
    const std::function<Tensor(const Tensor&, const std::vector<Tensor>&)>& function) {
  on_ranks(3, [&](ProcessGroup& group) {
    std::vector<Tensor> inputs = {random_input(shape)};
    for (const Tensor& parameter : parameters) {
      inputs.push_back(parameter.clone().requires_grad_());
    }
    const auto on_share = [&](const std::vector<Tensor>& in) {
      const BatchShareGuard guard(group, shape[0]);
      return gather_samples(function(share_out(in[0]), {in.begin() + 1, in.end()}));
    };
    const GradcheckResult result = gradcheck(on_share, inputs);
    INFO(result.str());
    CHECK(result.ok);
  });
}

template <class Norm, class... Args>
MakeNorm maker(const Args&... args) {
  return [=](Index channels) -> std::unique_ptr<Module> { return std::make_unique<Norm>(channels, args...); };
}

}  // namespace

TEST_CASE("the sums within a range are the largest parts of the tree that lie in it") {
  using Range = SumTree::Range;
  CHECK(SumTree::sums_within(4, {0, 4}) == std::vector<Range>{{0, 4}});
  CHECK(SumTree::sums_within(4, {1, 4}) == std::vector<Range>{{1, 2}, {2, 4}});
  CHECK(SumTree::sums_within(5, {0, 3}) == std::vector<Range>{{0, 3}});
  CHECK(SumTree::sums_within(7, {1, 6}) == std::vector<Range>{{1, 2}, {2, 4}, {4, 6}});
  CHECK(SumTree::sums_within(3, {1, 1}).empty());
}

TEST_CASE("a network's loss, gradients and running statistics are the same bits on 1, 2, 3 and 4 ranks") {
  const std::map<std::string, MakeNorm> norms = {
      {"batch", maker<BatchNorm2d>()},
      {"instance", maker<InstanceNorm2d>(InstanceNormOptions{.affine = true})},
      {"instance with running statistics",
       maker<InstanceNorm2d>(InstanceNormOptions{.affine = true, .track_running_stats = true})},
      {"batch-instance", maker<BatchInstanceNorm2d>()},
      {"group", [](Index channels) { return std::make_unique<GroupNorm>(1, channels); }},
      {"conditional",
       [](Index channels) { return std::make_unique<ConditionalInstanceNorm2d>(2, channels); }},
  };
  for (const auto& [name, make_norm] : norms) {
    for (const Index batch : {4, 5, 7}) {
      CAPTURE(name);
      CAPTURE(batch);
      const Numbers alone = one_step(single_process(), batch, make_norm);
      for (const int ranks : {1, 2, 3, 4, 6}) {
        CAPTURE(ranks);
        const Numbers shared =
            of_ranks(ranks, [&](ProcessGroup& group) { return one_step(group, batch, make_norm); });
        for (const auto& [what, numbers] : alone) {
          CAPTURE(what);
          CHECK((shared.at(what) == numbers));
        }
      }
    }
  }
}

TEST_CASE("gradients through synchronized batch norm are right where ranks have unequal numbers of samples") {
  Generator rng(5);
  const Tensor gamma = Tensor::randn({3}, rng, float64), beta = Tensor::randn({3}, rng, float64);
  for (const Shape& shape : {Shape{5, 3, 2, 3}, Shape{5, 3, 1, 1}, Shape{5, 3}}) {
    CAPTURE(shape);
    for (const Activation activation : {Activation::none, Activation::relu}) {
      check_shared_gradients(shape, {gamma, beta}, [&](const Tensor& x, const std::vector<Tensor>& p) {
        return batch_norm(x, {}, p[0], p[1], true, {}, activation);
      });
    }
  }
}

TEST_CASE("gradients of the weights of all that sums over samples are right") {
  Generator rng(6);
  const auto random = [&](const Shape& shape) { return Tensor::randn(shape, rng, float64); };
  check_shared_gradients(
      {5, 2, 4, 3}, {random({3, 2, 3, 3}), random({3})},
      [](const Tensor& x, const auto& p) { return conv2d(x, p[0], p[1], {.padding = 1}); });
  check_shared_gradients(
      {5, 2, 3, 3}, {random({2, 3, 2, 2}), random({3})},
      [](const Tensor& x, const auto& p) { return conv_transpose2d(x, p[0], p[1], {.stride = 2}); });
  check_shared_gradients({5, 3, 4}, {random({2, 4}), random({2})},
                         [](const Tensor& x, const auto& p) { return linear(x, p[0], p[1]); });
  check_shared_gradients({5, 3, 4}, {random({4}), random({4})},
                         [](const Tensor& x, const auto& p) { return layer_norm(x, {4}, p[0], p[1]); });
  check_shared_gradients({5, 4}, {random({4})},
                         [](const Tensor& x, const auto& p) { return rms_norm(x, {4}, p[0]); });
  check_shared_gradients({5, 4, 3}, {random({4}), random({4})},
                         [](const Tensor& x, const auto& p) { return group_norm(x, 2, p[0], p[1]); });
  check_shared_gradients({5, 2, 3}, {random({2}), random({2})},
                         [](const Tensor& x, const auto& p) { return instance_norm(x, p[0], p[1]); });
}

TEST_CASE("linear and norms with a gamma for each element are the same bits on any number of ranks") {
  const auto work = [](ProcessGroup& group) {
    Generator rng(7);
    const Tensor x = Tensor::randn({7, 5, 33}, rng);
    Tensor w = Tensor::randn({40, 33}, rng).requires_grad_(), b = Tensor::randn({40}, rng).requires_grad_();
    Tensor gamma = Tensor::randn({40}, rng).requires_grad_(),
           beta = Tensor::randn({40}, rng).requires_grad_();
    const BatchShareGuard guard(group, 7);
    const Tensor y = gather_samples(layer_norm(linear(own_part(x), w, b), {40}, gamma, beta));
    mean(square(y - 1)).backward();
    return Numbers{{"y", y.to_vector()},
                   {"w", w.grad().to_vector()},
                   {"b", b.grad().to_vector()},
                   {"gamma", gamma.grad().to_vector()},
                   {"beta", beta.grad().to_vector()}};
  };
  const Numbers alone = work(single_process());
  for (const int ranks : {2, 3, 4}) {
    CHECK((of_ranks(ranks, work) == alone));
  }
}

TEST_CASE("batch norm that is not synchronized, on ranks of one picture each, is instance norm in training") {
  Generator rng(8);
  const Tensor x = Tensor::randn({4, 3, 5, 4}, rng);
  const auto work = [&](ProcessGroup& group, Module& norm) {
    const BatchShareGuard guard(group, 4);
    const Tensor y = gather_samples(norm(own_part(x)));
    mean(square(y - 0.5)).backward();
    Numbers numbers = {{"y", y.to_vector()}};
    for (const auto& [name, tensor] : norm.state_dict()) {
      numbers[name] = tensor.to_vector();
    }
    for (const auto& [name, parameter] : norm.named_parameters()) {
      numbers["gradient of " + name] = parameter.grad().to_vector();
    }
    numbers.erase("num_batches_tracked");  // PyTorch's instance norm does not count
    return numbers;
  };
  InstanceNorm2d instance(3, {.affine = true, .track_running_stats = true});
  const Numbers expected = work(single_process(), instance);
  const Numbers got = of_ranks(4, [&](ProcessGroup& group) {
    BatchNorm2d batch(3, {.synchronized = false});
    return work(group, batch);
  });
  CHECK((got == expected));

  BatchNorm2d synchronized(3);
  const Numbers whole = work(single_process(), synchronized);
  CHECK_FALSE((whole.at("y") == expected.at("y")));
}

TEST_CASE("the first samples of a batch may leave ranks with none") {
  Generator rng(9);
  const Tensor x = Tensor::randn({8, 3, 9, 8}, rng);
  const auto work = [&](ProcessGroup& group) {
    Generator weights(1);
    Net net(maker<BatchNorm2d>(), weights);
    const BatchShareGuard guard(group, 8);
    const BatchShareGuard first(3);
    const Tensor y = net(own_part(x));
    const Tensor loss = mean(gather_samples(mse_of_samples(y, Tensor::zeros(y.shape()))));
    loss.backward();
    return Numbers{{"loss", loss.to_vector()}, {"gradient", net.conv1.weight.grad().to_vector()}};
  };
  const Numbers alone = work(single_process());
  for (const int ranks : {2, 3, 4}) {
    CHECK((of_ranks(ranks, work) == alone));
  }
}

TEST_CASE("sum_samples: values, gradients, and the same bits on any number of ranks") {
  const std::vector<double> weights = {0.5, 0, -1, 2, 3};
  check_gradients([&](const auto& in) { return sum_samples(in[0], weights); }, {random_input({5, 2, 3})});
  check_gradients([](const auto& in) { return sum_samples(in[0], {2}); }, {random_input({1})});
  const Tensor x = Tensor::from({1, 2, 3, 4, 5, 6}, {3, 2});
  CHECK(sum_samples(x, {1, 10, 100}).to_vector() == std::vector<double>{531, 642});
  Generator rng(10);
  const Tensor batch = Tensor::randn({5, 7}, rng);
  const auto work = [&](ProcessGroup& group) {
    const BatchShareGuard guard(group, 5);
    const Tensor own = own_part(batch).requires_grad_();
    const Tensor y = sum_samples(own, weights);
    sum(square(y)).backward();
    return Numbers{{"y", y.to_vector()}, {"gradients", gather_samples(own.grad()).to_vector()}};
  };
  const Numbers alone = work(single_process());
  for (const int ranks : {2, 3, 4, 5}) {
    CHECK((of_ranks(ranks, work) == alone));
  }
  CHECK_THROWS_WITH_AS(sum_samples(x, {1, 2}), doctest::Contains("2 weights for a batch of 3"),
                       ArgumentError);
}

TEST_CASE("sums over unequal shares of any number of ranks, along the tree over samples") {
  const std::vector<Shape> shapes = {{3}, {1}, {5, 2}, {0}, {4, 7}};
  const auto work = [&](ProcessGroup& group, Index batch, Index empty_from) {
    Generator rng(11);
    std::vector<Tensor> of_samples;
    for (const Shape& shape : shapes) {
      std::vector<Index> sizes = {batch};
      sizes.insert(sizes.end(), shape.begin(), shape.end());
      of_samples.push_back(Tensor::randn(Shape(sizes), rng));
    }
    const BatchShareGuard guard(group, batch);
    const BatchShareGuard first(empty_from);
    const auto share = BatchShare::current();
    std::vector<std::function<Tensor()>> sums;
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      sums.push_back(share->sum("sum", share->count(), shapes[i], float32, [&](Index n) {
        return of_samples[i].alias(shapes[i], (share->first() + n) * shapes[i].numel()).clone();
      }));
    }
    Numbers numbers;
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      numbers[std::to_string(i)] = sums[i]().to_vector();
    }
    return numbers;
  };
  for (const Index batch : {1, 4, 7, 12, 13}) {
    for (const Index first : {batch, (batch + 1) / 2}) {
      CAPTURE(batch);
      CAPTURE(first);
      const Numbers alone = work(single_process(), batch, first);
      for (const int ranks : {2, 3, 4, 5, 6, 8, 12}) {
        CAPTURE(ranks);
        CHECK((of_ranks(ranks, [&](ProcessGroup& group) { return work(group, batch, first); }) == alone));
      }
    }
  }
}

TEST_CASE("a rank of 8 sends 6 messages for a sum, and no more bytes than any all-reduce") {
  on_ranks(8, [](ThreadGroup& group) {
    const BatchShareGuard guard(group, 8);
    const Tensor sum =
        BatchShare::current()->sum("sum", 1, {1024}, float32, [](Index) { return Tensor::ones({1024}); })();
    CHECK(sum.to_vector() == std::vector<double>(1024, 8.0));
    CHECK(group.messages == 6);
    CHECK(group.bytes == 2 * 1024 * sizeof(float) * 7 / 8);
  });
}

TEST_CASE("what has weights refuses tensors that are no rank's samples") {
  CHECK_THROWS_WITH_AS(on_ranks(2,
                                [](ProcessGroup& group) {
                                  const BatchShareGuard guard(group, 4);
                                  Tensor w = Tensor::ones({1, 1, 1, 1}).requires_grad_();
                                  mean(conv2d(Tensor::ones({3, 1, 2, 2}), w)).backward();
                                }),
                       doctest::Contains("conv2d: 3 samples; rank "), ArgumentError);
  CHECK_THROWS_WITH_AS(on_ranks(2,
                                [](ProcessGroup& group) {
                                  const BatchShareGuard guard(group, 4);
                                  gather_samples(Tensor::ones({3}));
                                }),
                       doctest::Contains("gather_samples: x has shape (3)"), ArgumentError);
}
