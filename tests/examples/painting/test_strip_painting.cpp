// Painting by strips gives the bits of painting the whole.
#include "painting/strip_painting.h"

#include <doctest/doctest.h>

#include <limits>

#include "files.h"
#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/autograd/shape_ops.h"
#include "gesso/core/generator.h"
#include "painting/any_style_network.h"
#include "painting/memory_need.h"
#include "painting/strip_need.h"
#include "painting/style_network.h"
#include "painting/stylize.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

constexpr double kNothingKept = std::numeric_limits<double>::infinity();

Tensor photograph(Index height, Index width, std::uint64_t seed = 5) {
  Generator rng(seed);
  return Tensor::uniform({1, 3, height, width}, rng);
}

Tensor by_strips(StyleNetwork& network, const Tensor& picture, const PaintOptions& paint,
                 StripOptions options) {
  const TemporaryFolder folder;
  options.folder = folder.path();
  StripGraph graph;
  const int input = graph.input({3, picture.size(2), picture.size(3)}, strips_of(picture));
  std::vector<Tensor> strips;
  graph.run(painted_by_strips(graph, network, input, paint), options,
            [&](const Tensor& strip) { strips.push_back(strip); });
  CHECK(folder.entries() == 0);
  return concat(strips, 2);
}

// A network in which every number counts: no bias is 0, no gamma 1, and rows of several styles differ.
void make_uneven(Module& network, Generator& rng) {
  const NoGradGuard no_grad;
  for (Tensor parameter : network.parameters()) {
    if (parameter.rank() <= 2) {
      parameter.copy_(parameter + 0.2 * Tensor::randn(parameter.shape(), rng));
    }
  }
  network.eval();
}

std::unique_ptr<StyleNetwork> network_of(const StyleNetworkOptions& options) {
  Generator rng(3);
  auto network = std::make_unique<StyleNetwork>(options, rng);
  make_uneven(*network, rng);
  return network;
}

}  // namespace

TEST_CASE("strips of any height give the bits of the whole, for pictures of odd sizes") {
  struct Size {
    Index height, width, rows;
  };
  for (const auto& [height, width, rows] :
       {Size{93, 71, 8}, Size{93, 71, 32}, Size{130, 62, 16}, Size{29, 350, 4}, Size{401, 17, 64}}) {
    for (const int channels : {4, 16, 32}) {
      const auto network = network_of({.width = channels, .blocks = 2});
      const Tensor picture = photograph(height, width);
      CAPTURE(height);
      CAPTURE(rows);
      CAPTURE(channels);
      CHECK(identical(by_strips(*network, picture, {}, {.rows = rows}), stylize(*network, picture)));
    }
  }
}

TEST_CASE("tiny pictures are the same up to rounding") {
  const auto network = network_of({.width = 16, .blocks = 1});
  for (const auto& [height, width] : {std::pair<Index, Index>{1, 1}, {5, 5}, {3, 40}, {64, 40}}) {
    const Tensor picture = photograph(height, width);
    CHECK(largest_difference(by_strips(*network, picture, {}, {.rows = 4}), stylize(*network, picture)) <
          1e-5);
  }
}

TEST_CASE("every normalization, whatever is kept") {
  const Tensor picture = photograph(90, 75);
  for (const std::string& normalization : known_normalizations()) {
    const auto network = network_of({.width = 8, .blocks = 2, .normalization = normalization});
    const Tensor expected = stylize(*network, picture);
    CAPTURE(normalization);
    for (const double transfer : {0.0, 300.0, kNothingKept}) {
      CHECK(identical(by_strips(*network, picture, {}, {.rows = 12, .transfer = transfer}), expected));
    }
  }
}

TEST_CASE("styles, mixes, noise and how a painting is laid over its photograph") {
  const Tensor picture = photograph(85, 94);
  const auto network = network_of({.width = 8, .blocks = 1, .styles = 3, .noise = 0.3});
  network->set_styles({2});
  network->set_noise(7, {0.6});
  CHECK(identical(by_strips(*network, picture, {}, {.rows = 8}), stylize(*network, picture)));
  network->set_mix({0.5, -0.2, 0.7});
  for (const PaintOptions& paint :
       std::vector<PaintOptions>{{.keep_colors = true},
                                 {.opacity = 0.4},
                                 {.opacity = 0},
                                 {.scale = 0.6},
                                 {.scale = 1.5, .keep_colors = true, .opacity = 0.7}}) {
    CAPTURE(paint.scale);
    CAPTURE(paint.opacity);
    CHECK(identical(by_strips(*network, picture, paint, {.rows = 8}), stylize(*network, picture, paint)));
  }
}

TEST_CASE("a network for any style") {
  Generator rng(4);
  AnyStyleNetwork network({.width = 8, .blocks = 1, .manners = 3, .hidden = 4}, rng);
  network.eval();
  network.set_style(photograph(64, 64, 9));
  const Tensor picture = photograph(77, 100);
  CHECK(identical(by_strips(network.network(), picture, {}, {.rows = 16}),
                  stylize(network.network(), picture)));
}

TEST_CASE("statistics of a small copy are close, and of the picture itself exact") {
  const auto network = network_of({.width = 8, .blocks = 1});
  const Tensor picture = photograph(90, 96);
  StripGraph graph, of_copy;
  const int y = painted_by_strips(graph, *network, graph.input({3, 90, 96}, strips_of(picture)));
  const int same = painted_by_strips(of_copy, *network, of_copy.input({3, 90, 96}, strips_of(picture)));
  of_copy.run(same, {.rows = 8, .transfer = kNothingKept}, [](const Tensor&) {});
  graph.adopt_measures(of_copy);
  std::vector<Tensor> strips;
  graph.run(y, {.rows = 8}, [&](const Tensor& strip) { strips.push_back(strip); });
  CHECK(graph.plan(y, {}).passes == 1);
  CHECK(identical(concat(strips, 2), stylize(*network, picture)));
}

TEST_CASE("what strips need is known before, and enough" * doctest::skip(kSanitized)) {
  const TemporaryFolder folder;
  const auto network = network_of({.width = 16, .blocks = 1});
  const StripPainting painting = [&](StripGraph& graph, int picture) {
    return painted_by_strips(graph, *network, picture);
  };
  const Index height = 600, width = 350;
  const Tensor picture = Tensor::full({1, 3, height, width}, 0.5);
  const auto need_with = [&](double memory, double disk, bool one_pass = false) {
    return strip_need(painting, {3, height, width}, {memory, folder.path(), disk, one_pass});
  };
  const StripNeed roomy = need_with(1e12, 1e12), tight = need_with(0, 1e12),
                  without_disk = need_with(1e12, 0);
  CHECK(roomy.options.rows == 32);
  CHECK(tight.options.rows == 4);
  CHECK(tight.memory < roomy.memory);
  CHECK(roomy.disk > 0);
  CHECK(without_disk.disk == 0);
  CHECK(without_disk.seconds > roomy.seconds);
  const auto check = [&](const StripNeed& need, bool one_pass) {
    StripGraph graph;
    const int y = painting(graph, graph.input({3, height, width}, strips_of(picture)));
    if (one_pass) {
      graph.run(y, need.options, [](const Tensor&) {});
      graph.adopt_measures(graph);
    }
    const double taken = peak_memory_of([&] { graph.run(y, need.options, [](const Tensor&) {}); });
    constexpr double of_program = 6e7;
    CHECK(taken < need.memory - of_program);
    CHECK(taken > 0.4 * (need.memory - of_program));
  };
  check(roomy, false);
  check(tight, false);
  check(without_disk, false);
  const StripNeed one_pass = need_with(1e12, 0, true);
  CHECK(one_pass.disk == 0);
  check(one_pass, true);
}
