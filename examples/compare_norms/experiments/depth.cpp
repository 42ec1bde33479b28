// How deep a network can be.
#include "compare_norms/tally.h"
#include "experiments_list.h"
#include "gesso/core/error.h"
#include "stack_experiment.h"

namespace gesso {
namespace {

constexpr Index kDepths[] = {2, 4, 8, 16};

std::vector<StackRun> plan(const ExperimentSettings& settings) {
  std::vector<StackRun> runs;
  for (Index seed = 1; seed <= settings.seeds; ++seed) {
    for (const char* normalization : {"none", "batch", "group", "layer", "instance"}) {
      for (const Index depth : kDepths) {
        StackRun run = usual_run(normalization, settings, static_cast<std::uint64_t>(seed));
        run.name = concat_text(normalization, "-depth", depth, "-seed", seed);
        run.network.depth = depth;
        runs.push_back(run);
      }
    }
  }
  return runs;
}

// How much larger the first layer's share |dW| / |W| is than the last one's.
double gradient_ratio(const std::vector<double>& gradients) { return gradients.front() / gradients.back(); }

std::vector<ReportBlock> blocks(const std::vector<StackRun>& runs) {
  const StackMeasure depth = [](const StackRun& run) { return static_cast<double>(run.network.depth); };
  const StackMeasure loss = [](const StackRun& run) { return run.result.training_loss; };
  const auto setting = [](const StackRun& run) { return concat_text(run.network.depth); };
  ReportChart before{
      .title = "Gradient of the first convolution over that of the last, before the first step",
      .x_label = "convolutions",
      .y_label = "ratio of |dW| / |W|",
      .log_scale = true,
      .log_x = true};
  ReportChart later = before;
  later.title = "The same at the end of the training";
  for (const std::string& name : normalizations_of(runs)) {
    before.curves.push_back(curve_of(
        runs, name, depth, [](const StackRun& run) { return gradient_ratio(run.result.first_gradients); }));
    later.curves.push_back(curve_of(
        runs, name, depth, [](const StackRun& run) { return gradient_ratio(run.result.later_gradients); }));
  }
  return {
      ReportText{
          {"All begin with He's weights, which keep the level of activations through any number of layers "
           "without a normalization; there are no shortcuts."}},
      stack_grid(runs, "Training loss, normalization by depth", "convolutions", setting, loss),
      stack_grid(runs, "Test error in percent, normalization by depth", "convolutions", setting,
                 [](const StackRun& run) { return 100 * run.result.test.error; }),
      ReportText{{kGridWords}},
      before,
      later};
}

}  // namespace

const Experiment& depth_experiment() {
  static const TypedExperiment<StackRun> experiment = [] {
    TypedExperiment<StackRun> e = stack_experiment();
    e.name = "depth";
    e.title = "Experiment: depth";
    e.question =
        "How many convolutions can be trained on top of each other, with and without each normalization?";
    e.source = "He et al. 2015, arXiv 1502.01852, section 2.2; Yang et al. 2019, arXiv 1902.08129";
    e.runs = &ExperimentResults::depth;
    e.planned = plan;
    e.blocks = blocks;
    return e;
  }();
  return experiment;
}

}  // namespace gesso
