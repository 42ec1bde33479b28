// Networks over pictures in strips: the bits of the whole, and what is kept in between.
#include "gesso/layers/strips/strip_graph.h"

#include <doctest/doctest.h>

#include <limits>

#include "file_size_limit.h"
#include "files.h"
#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/autograd/shape_ops.h"
#include "gesso/autograd/upsampled_convolution.h"
#include "gesso/autograd/upsampling.h"
#include "gesso/core/error.h"
#include "gesso/core/parallel.h"
#include "gesso/core/pictures/resize.h"
#include "gesso/layers/activations.h"
#include "gesso/layers/normalization/batch_norm.h"
#include "gesso/layers/normalization/group_norm.h"
#include "gesso/layers/normalization/instance_norm.h"
#include "gesso/layers/resampling.h"
#include "gesso/layers/sequential.h"
#include "stir.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

constexpr double kNothingKept = std::numeric_limits<double>::infinity();

class TensorRows : public RowStream {
 public:
  TensorRows(const Tensor& x, Index rows)
      : RowStream({x.size(1), x.size(2), x.size(3)}), x_(x), rows_(rows) {}
  Tensor next() override {
    const Index begin = at_;
    at_ = std::min(at_ + rows_, size().height);
    return slice(x_, 2, begin, at_);
  }

 private:
  Tensor x_;
  Index rows_, at_ = 0;
};

int input(StripGraph& graph, const Tensor& x) {
  return graph.input({x.size(1), x.size(2), x.size(3)},
                     [x](Index rows) { return std::make_unique<TensorRows>(x, rows); });
}

Tensor run(StripGraph& graph, int y, const StripOptions& options) {
  std::vector<Tensor> strips;
  graph.run(y, options, [&](const Tensor& strip) { strips.push_back(strip); });
  return concat(strips, 2);
}

Tensor by_strips(Module& module, const Tensor& x, const StripOptions& options) {
  StripGraph graph;
  return run(graph, graph.layer(module, input(graph, x)), options);
}

Tensor whole(Module& module, const Tensor& x) {
  const NoGradGuard no_grad;
  return module(x);
}

}  // namespace

TEST_CASE(
    "convolutions by strips have the bits of the whole: every algorithm, padding, stride and dilation") {
  Generator rng(2);
  struct Case {
    Index in, out;
    Size2d kernel;
    Conv2dOptions options;
  };
  const auto reflect = PaddingMode::reflect, replicate = PaddingMode::replicate, zeros = PaddingMode::zeros;
  for (const Case& c : std::vector<Case>{
           {3, 16, 9, {.padding = 4, .padding_mode = reflect}},    // Winograd's, of shifted copies of x
           {16, 3, 9, {.padding = 4, .padding_mode = reflect}},    // and of shifted results
           {16, 20, 3, {.padding = 1, .padding_mode = reflect}},   // Winograd's
           {144, 32, 3, {.padding = 1, .padding_mode = reflect}},  // in slices of channels
           {16, 16, 3, {.padding = 1, .padding_mode = zeros}},
           {16, 16, 3, {.padding = 1, .padding_mode = replicate}},
           {16, 16, 3, {}},
           {5, 7, 3, {.stride = 2, .padding = 1, .padding_mode = reflect}},  // direct
           {6, 4, {5, 3}, {.stride = {3, 1}, .padding = {2, 1}, .dilation = {2, 1}, .groups = 2}},
           {8, 8, 1, {.bias = false}},
       }) {
    Conv2d conv(c.in, c.out, c.kernel, c.options, rng);
    for (const auto& [height, width] : {std::pair<Index, Index>{61, 70}, {64, 37}, {35, 90}}) {
      const Tensor x = Tensor::randn({1, c.in, height, width}, rng);
      const Tensor expected = whole(conv, x);
      for (const Index rows : {4, 8, 20, 64}) {
        CAPTURE(conv.extra_repr());
        CAPTURE(height);
        CAPTURE(rows);
        CHECK(identical(by_strips(conv, x, {.rows = rows}), expected));
      }
    }
  }
}

TEST_CASE("normalizations by strips have the bits of the whole") {
  Generator rng(3);
  Sequential net;
  net.emplace<Conv2d>(3, 16, 3, {.padding = 1, .padding_mode = PaddingMode::reflect}, rng);
  net.emplace<InstanceNorm2d>(16, {.affine = true}).then(Activation::relu);
  net.emplace<Conv2d>(16, 16, 3, {.stride = 2, .padding = 1}, rng);
  net.emplace<GroupNorm>(4, 16);
  net.emplace<ReLU>();
  net.emplace<Upsample>(UpsampleOptions{.scale = 3});
  net.emplace<GroupNorm>(1, 16).then(Activation::relu);
  net.emplace<BatchNorm2d>(16);
  net.emplace<Conv2d>(16, 2, 5, {.padding = 2}, rng);
  {
    const NoGradGuard no_grad;
    stir(net, rng);
  }
  net.eval();
  const Tensor x = Tensor::randn({1, 3, 83, 58}, rng);
  const Tensor expected = whole(net, x);
  const TemporaryFolder folder;
  for (const double transfer : {0.0, 300.0, kNothingKept}) {
    for (const Index rows : {4, 12, 32}) {
      CHECK(identical(by_strips(net, x, {.rows = rows, .transfer = transfer, .folder = folder.path()}),
                      expected));
    }
  }
  CHECK(folder.entries() == 0);
}

TEST_CASE("a value that is used twice, within a pass and across passes") {
  Generator rng(6);
  Conv2d first(3, 16, 3, {.padding = 1}, rng),
      second(16, 16, 9, {.padding = 4, .padding_mode = PaddingMode::reflect}, rng);
  InstanceNorm2d norm(16, {.affine = true});
  const Tensor x = Tensor::randn({1, 3, 72, 40}, rng);
  const NoGradGuard no_grad;
  const Tensor a = first(x);
  const Tensor expected = clamp(0.5 * (a + second(a)) + 0.25, -1, 1) + norm(second(a));
  for (const double transfer : {0.0, kNothingKept}) {
    StripGraph graph;
    const int from = graph.layer(first, input(graph, x));
    const int there = graph.layer(second, from);
    const int y = graph.add(graph.clip(graph.affine(graph.add(from, there), 0.5, 0.25), -1, 1),
                            graph.layer(norm, there));
    CHECK(identical(run(graph, y, {.rows = 8, .transfer = transfer, .folder = "/tmp"}), expected));
  }
}

TEST_CASE("sizes: nearest neighbours, resize_picture() and canvases") {
  Generator rng(8);
  const Tensor x = Tensor::uniform({1, 2, 37, 50}, rng);
  for (const auto& [height, width] :
       {std::pair<Index, Index>{20, 31}, {37, 20}, {90, 50}, {75, 121}, {1, 1}}) {
    StripGraph graph;
    const int y = graph.resize(input(graph, x), height, width);
    CHECK(identical(run(graph, y, {.rows = 8}), resize_picture(x, height, width)));
  }
  StripGraph graph;
  const int from = input(graph, x);
  CHECK(identical(run(graph, graph.upsample_nearest(from, 3), {.rows = 4}), upsample_nearest2d(x, 3)));
  CHECK(identical(run(graph, graph.canvas(from, 45, 60), {.rows = 8}),
                  pad2d(x, {0, 10, 0, 8}, PaddingMode::replicate)));
  CHECK(identical(run(graph, graph.canvas(from, 30, 60), {.rows = 8}),
                  slice(pad2d(x, {0, 10, 0, 0}, PaddingMode::replicate), 2, 0, 30)));
  const int joined = graph.join_channels(graph.channels(from, 1, 2), graph.channels(from, 0, 1));
  CHECK(identical(run(graph, joined, {.rows = 12}), concat({slice(x, 1, 1, 2), slice(x, 1, 0, 1)}, 1)));
}

TEST_CASE(
    "a convolution of an enlarged picture by strips has the bits of the whole, by Winograd's algorithm and without") {
  Generator rng(21);
  for (const Index channels : {3, 32}) {
    const Tensor x = Tensor::randn({1, channels, 45, 30}, rng);
    for (const PaddingMode mode : {PaddingMode::zeros, PaddingMode::reflect}) {
      Conv2d conv(channels, 16, 3, {.padding = 1, .padding_mode = mode}, rng);
      for (const Index rows : {4, 8, 12, 64}) {
        CAPTURE(channels);
        CAPTURE(rows);
        StripGraph graph;
        const int y = graph.upsample_conv(conv, input(graph, x));
        CHECK(identical(run(graph, y, {.rows = rows}), upsample_conv2d(x, conv.weight, conv.bias, mode)));
      }
    }
  }
}

TEST_CASE("a plan: passes, and what is kept between them") {
  Generator rng(9);
  Sequential net;
  for (int i = 0; i < 4; ++i) {
    net.emplace<Conv2d>(16, 16, 3, {.padding = 1}, rng);
    net.emplace<InstanceNorm2d>(16);
  }
  const Tensor x = Tensor::randn({1, 16, 40, 40}, rng);
  StripGraph graph;
  const int y = graph.layer(net, input(graph, x));
  const double plane = 16 * 40 * 40, one = plane * 16 * 9;
  const StripPlan kept = graph.plan(y, {.transfer = 0, .folder = "/tmp"});
  CHECK(kept.passes == 5);
  CHECK(kept.products == 4 * one);
  CHECK(kept.transferred == 4 * 2 * 4 * plane);
  CHECK(kept.disk >= 4 * plane);
  CHECK(kept.disk <= 2 * 4 * plane);
  const StripPlan again = graph.plan(y, {.transfer = kNothingKept});
  CHECK(again.products == (1 + 2 + 3 + 4 + 4) * one);
  CHECK(again.disk == 0);
  // Statistics from elsewhere: the picture goes by once.
  StripGraph other;
  run(other, other.layer(net, input(other, x)), {.transfer = kNothingKept});
  graph.adopt_measures(other);
  CHECK(graph.plan(y, {}).passes == 1);
  CHECK(identical(run(graph, y, {.rows = 8}), whole(net, x)));
}

TEST_CASE("progress goes from 0 to 1, and what it throws ends the run and leaves nothing") {
  Generator rng(10);
  Sequential net;
  net.emplace<Conv2d>(3, 8, 3, {.padding = 1}, rng);
  net.emplace<InstanceNorm2d>(8);
  net.emplace<Conv2d>(8, 3, 3, {.padding = 1}, rng);
  const Tensor x = Tensor::randn({1, 3, 50, 20}, rng);
  const TemporaryFolder folder;
  double last = 0;
  by_strips(net, x, {.rows = 4, .transfer = 0, .folder = folder.path(), .progress = [&](double share) {
                       CHECK(share >= last);
                       last = share;
                     }});
  CHECK(last == doctest::Approx(1));
  CHECK_THROWS_WITH_AS(by_strips(net, x,
                                 {.rows = 4,
                                  .transfer = 0,
                                  .folder = folder.path(),
                                  .progress = [](double) { throw Error("enough"); }}),
                       "enough", Error);
  CHECK(folder.entries() == 0);
}

TEST_CASE("a full disk is an error that says so, and leaves nothing") {
  Generator rng(11);
  Sequential net;
  net.emplace<Conv2d>(3, 16, 3, {.padding = 1}, rng);
  net.emplace<InstanceNorm2d>(16);
  const Tensor x = Tensor::randn({1, 3, 64, 64}, rng);
  const TemporaryFolder folder;
  {
    const FileSizeLimit limit(100'000);
    CHECK_THROWS_WITH_AS(by_strips(net, x, {.rows = 8, .transfer = 0, .folder = folder.path()}),
                         doctest::Contains("cannot keep intermediate results in '"), FileError);
  }
  CHECK(folder.entries() == 0);
  CHECK_THROWS_WITH_AS(by_strips(net, x, {.transfer = 0, .folder = folder / "none"}),
                       doctest::Contains("No such file or directory"), FileError);
}

TEST_CASE("what does not go by strips is named") {
  Generator rng(12);
  StripGraph graph;
  const int x = graph.input({4, 20, 20}, {});
  Sigmoid sigmoid;
  LayerNorm layer_norm({4, 20, 20});
  BatchNorm2d in_training(4);
  Conv2d other_channels(3, 4, 3, rng), too_large(4, 4, 30, rng);
  CHECK_THROWS_WITH_AS(graph.layer(sigmoid, x), doctest::Contains("Sigmoid"), ArgumentError);
  CHECK_THROWS_WITH_AS(graph.layer(layer_norm, x), doctest::Contains("for each pixel"), ArgumentError);
  CHECK_THROWS_WITH_AS(graph.layer(in_training, x), doctest::Contains("call eval() first"), ArgumentError);
  CHECK_THROWS_WITH_AS(graph.layer(other_channels, x), doctest::Contains("4 channels"), ArgumentError);
  CHECK_THROWS_WITH_AS(graph.layer(too_large, x), doctest::Contains("too small for its kernel"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(graph.add(x, graph.input({4, 21, 20}, {})), doctest::Contains("20 x 20 and 20 x 21"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(graph.run(x, {.rows = 6}, {}), doctest::Contains("a multiple of 4"), ArgumentError);
  CHECK_THROWS_AS(graph.size(99), ArgumentError);
}
