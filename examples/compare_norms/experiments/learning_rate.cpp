// Which learning rates a network can be trained with.
#include <algorithm>
#include <cmath>

#include "compare_norms/tally.h"
#include "experiments_list.h"
#include "gesso/core/error.h"
#include "stack_experiment.h"

namespace gesso {
namespace {

constexpr double kRates[] = {0.003, 0.01, 0.03, 0.1, 0.3, 1};

std::vector<StackRun> plan(const ExperimentSettings& settings) {
  std::vector<StackRun> runs;
  for (Index seed = 1; seed <= settings.seeds; ++seed) {
    for (const char* normalization : {"none", "batch", "group", "layer", "instance"}) {
      for (const double rate : kRates) {
        StackRun run = usual_run(normalization, settings, static_cast<std::uint64_t>(seed));
        run.name = concat_text(normalization, "-rate", rate, "-seed", seed);
        run.training.lr = rate;
        runs.push_back(run);
      }
    }
  }
  return runs;
}

double rate_of(const StackRun& run) { return run.training.lr; }

// "0.003 to 0.3", "none": the rates at which every seed learned, from the lowest to the highest.
std::string rates_that_learn(const std::vector<StackRun>& runs, const std::string& normalization) {
  std::vector<double> rates;
  for (const double rate : each<double>(runs, rate_of)) {
    if (std::all_of(runs.begin(), runs.end(), [&](const StackRun& run) {
          return run.network.normalization != normalization || rate_of(run) != rate || has_learned(run);
        })) {
      rates.push_back(rate);
    }
  }
  return rates.empty() ? "none" : concat_text(rates.front(), " to ", rates.back());
}

std::vector<ReportBlock> blocks(const std::vector<StackRun>& runs) {
  const StackMeasure loss = [](const StackRun& run) { return run.result.training_loss; };
  ReportChart chart{.title = "Training loss by learning rate",
                    .x_label = "learning rate",
                    .y_label = "loss, mean of the last tenth of the steps",
                    .log_x = true};
  ReportTable table{"Where each learns",
                    {"Normalization", "Lowest training loss", "at", "Rates at which every seed learned"},
                    {}};
  for (const std::string& name : normalizations_of(runs)) {
    chart.curves.push_back(curve_of(runs, name, rate_of, loss));
    const ReportCurve& curve = chart.curves.back();
    if (!curve.y.empty()) {
      const auto best = std::min_element(curve.y.begin(), curve.y.end()) - curve.y.begin();
      table.rows.push_back({curve.name, short_number(curve.y[best]), concat_text(curve.x[best]),
                            rates_that_learn(runs, name)});
    }
  }
  return {stack_grid(
              runs, "Training loss, normalization by learning rate", "learning rate",
              [](const StackRun& run) { return concat_text(rate_of(run)); }, loss),
          ReportText{{kGridWords}}, table, chart};
}

}  // namespace

const Experiment& learning_rate_experiment() {
  static const TypedExperiment<StackRun> experiment = [] {
    TypedExperiment<StackRun> e = stack_experiment();
    e.name = "learning-rate";
    e.title = "Experiment: learning rate";
    e.question = "Over which learning rates does a network learn, with and without each normalization?";
    e.source =
        "Bjorck et al. 2018, arXiv 1806.02375, section 3; Santurkar et al. 2018, arXiv 1805.11604, figure 1";
    e.runs = &ExperimentResults::learning_rate;
    e.planned = plan;
    e.blocks = blocks;
    return e;
  }();
  return experiment;
}

}  // namespace gesso
