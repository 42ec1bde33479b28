// The two numbers in a normalization that are set once and forgotten.
#include "compare_norms/tally.h"
#include "experiments_list.h"
#include "gesso/core/error.h"
#include "stack_experiment.h"

namespace gesso {
namespace {

constexpr double kEps[] = {1e-5, 1e-4, 1e-3, 1e-2, 1e-1};
constexpr double kMomentums[] = {0.001, 0.01, 0.1, 1};

std::vector<StackRun> plan(const ExperimentSettings& settings) {
  std::vector<StackRun> runs;
  for (Index seed = 1; seed <= settings.seeds; ++seed) {
    for (const char* normalization : {"batch", "group", "layer", "instance"}) {
      for (const double eps : kEps) {
        StackRun run = usual_run(normalization, settings, static_cast<std::uint64_t>(seed));
        run.name = concat_text(normalization, "-eps", eps, "-seed", seed);
        run.network.eps = eps;
        runs.push_back(run);
      }
    }
    for (const double momentum : kMomentums) {
      StackRun run = usual_run("batch", settings, static_cast<std::uint64_t>(seed));
      run.name = concat_text("batch-momentum", momentum, "-seed", seed);
      run.network.momentum = momentum;
      runs.push_back(run);
    }
  }
  return runs;
}

std::vector<ReportBlock> blocks(const std::vector<StackRun>& runs) {
  std::vector<StackRun> by_eps, by_momentum;
  for (const StackRun& run : runs) {
    (run.name.find("-momentum") == std::string::npos ? by_eps : by_momentum).push_back(run);
  }
  const auto eps = [](const StackRun& run) { return concat_text(run.network.eps); };
  std::vector<ReportBlock> blocks = {
      stack_grid(by_eps, "Training loss by eps", "eps", eps,
                 [](const StackRun& run) { return run.result.training_loss; }),
      stack_grid(by_eps, "Test error in percent, in eval mode, by eps", "eps", eps,
                 [](const StackRun& run) { return 100 * run.result.test.error; }),
      ReportText{{kGridWords}}};
  if (!by_momentum.empty()) {
    const StackMeasure momentum = [](const StackRun& run) { return run.network.momentum; };
    ReportChart chart{.title = "Batch norm's test error by momentum",
                      .x_label = "momentum",
                      .y_label = "percent",
                      .log_x = true};
    chart.curves = {curve_of(by_momentum, "batch", momentum,
                             [](const StackRun& run) { return 100 * run.result.test.error; }),
                    curve_of(by_momentum, "batch", momentum, test_error_in_batches)};
    chart.curves[0].name = "eval mode";
    chart.curves[1].name = "training mode";
    chart.curves[1].color = -1;
    blocks.push_back(ReportText{
        {"Momentum is the weight of the newest batch in the running statistics, which batch norm uses in eval mode. It "
         "has no part in the training: only the error in eval mode depends on it."}});
    blocks.push_back(chart);
  }
  return blocks;
}

}  // namespace

const Experiment& constants_experiment() {
  static const TypedExperiment<StackRun> experiment = [] {
    TypedExperiment<StackRun> e = stack_experiment();
    e.name = "constants";
    e.title = "Experiment: eps and momentum";
    e.question = "How much does it matter what eps is, and batch norm's momentum?";
    e.source =
        "Ioffe and Szegedy 2015, arXiv 1502.03167, algorithms 1 and 2; Wu and Johnson 2021, arXiv 2105.07576";
    e.runs = &ExperimentResults::constants;
    e.planned = plan;
    e.measured.emplace_back("test error in batches, %", test_error_in_batches);
    e.blocks = blocks;
    return e;
  }();
  return experiment;
}

}  // namespace gesso
