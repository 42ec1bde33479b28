#include "strip_need.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <system_error>

#include "memory_need.h"
#include "strip_painting.h"

namespace gesso {
namespace {

// A number goes to the file or comes back in the time of so many products: measured, see docs/performance.md. Where the disk
// has no room for what is kept then, less is.
constexpr double kTransfers[] = {300, 2000, std::numeric_limits<double>::infinity()};
// More rows are no faster; fewer compute more that is dropped.
constexpr Index kRows[] = {32, 16, 8, 4};

struct Measured {
  double memory, seconds, products;
};

Measured measure(const StripPainting& painting, Index channels, Size2d size, const StripOptions& options,
                 bool one_pass) {
  const Tensor picture = Tensor::full({1, channels, size.height, size.width}, 0.5);
  StripGraph graph;
  const int y = painting(graph, graph.input({channels, size.height, size.width}, strips_of(picture)));
  if (one_pass) {
    StripOptions quick = options;
    quick.transfer = kTransfers[0];
    graph.run(y, quick, [](const Tensor&) {});
    graph.adopt_measures(graph);
  }
  const auto begin = std::chrono::steady_clock::now();
  const double memory = peak_memory_of([&] { graph.run(y, options, [](const Tensor&) {}); });
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  return {memory, seconds.count(), graph.plan(y, options).products};
}

// Bytes of tensors for a picture of any width: what the network takes whatever the picture (weights as its kernels want
// them), and of each column what does not and what does grow with the rows of a strip.
struct MemoryModel {
  double fixed, column, column_and_row;
  double seconds_per_product;

  double operator()(Index width, Index rows) const {
    return fixed + static_cast<double>(width) * (column + static_cast<double>(rows) * column_and_row);
  }
};

MemoryModel measure_model(const StripPainting& painting, Index channels, StripOptions options,
                          bool one_pass) {
  // Wide enough that strips take more than weights do as their kernels want them; tall enough for all strips that a pass
  // holds at one time, which are some for each layer, at a quarter of the height, where the network is one pass.
  const bool deep = one_pass || options.transfer > kTransfers[0];
  const Index narrow = deep ? 128 : 256, wide = 2 * narrow, height = deep ? 640 : 160;
  constexpr Index few = 4, more = 16;
  options.rows = few;
  const Measured a = measure(painting, channels, {height, narrow}, options, one_pass);
  const Measured b = measure(painting, channels, {height, wide}, options, one_pass);
  options.rows = more;
  const Measured c = measure(painting, channels, {height, wide}, options, one_pass);
  MemoryModel model{};
  model.column_and_row = std::max(0.0, c.memory - b.memory) / static_cast<double>(wide * (more - few));
  const double of_column = std::max(0.0, b.memory - a.memory) / static_cast<double>(wide - narrow);
  model.column = std::max(0.0, of_column - few * model.column_and_row);
  model.fixed = std::max(0.0, b.memory - static_cast<double>(wide) * of_column);
  model.seconds_per_product = c.seconds / std::max(1.0, c.products);
  return model;
}

}  // namespace

StripNeed strip_need(const StripPainting& painting, const PlanesSize& picture,
                     const StripResources& resources) {
  // What the memory pool keeps for tensors of other sizes; code, stacks, and working memory of threads.
  constexpr double of_pool = 1.2, of_program = 6e7, disk_speed = 5e8;
  StripNeed least;
  double disk_at_best = 0;
  for (const double transfer : kTransfers) {
    StripGraph graph;
    const int y = painting(graph, graph.input(picture, {}));
    if (resources.one_pass) {
      graph.adopt_measures(graph);
    }
    StripOptions options{.rows = kRows[0], .transfer = transfer, .folder = resources.folder};
    const StripPlan plan = graph.plan(y, options);
    disk_at_best = std::max(disk_at_best, plan.disk);
    if (plan.disk > resources.disk) {
      continue;
    }
    const MemoryModel model = measure_model(painting, picture.channels, options, resources.one_pass);
    for (const Index rows : kRows) {
      options.rows = rows;
      const StripNeed need{options,
                           of_program + of_pool * model(picture.width, rows),
                           of_program + of_pool * model.fixed,
                           plan.disk,
                           disk_at_best,
                           plan.products * model.seconds_per_product + plan.transferred / disk_speed};
      if (need.memory <= resources.memory) {
        return need;
      }
      least = need;
    }
    return least;  // what keeps less holds more strips at a time
  }
  return least;
}

double free_disk(const std::filesystem::path& folder) {
  std::error_code error;
  const auto space = std::filesystem::space(folder.empty() ? "." : folder, error);
  return error ? 0 : static_cast<double>(space.available);
}

}  // namespace gesso
