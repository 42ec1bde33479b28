// How few pictures a batch may have.
#include "compare_norms/curves.h"
#include "compare_norms/tally.h"
#include "experiments_list.h"
#include "stack_experiment.h"

namespace gesso {
namespace {

constexpr Index kBatches[] = {1, 2, 4, 8, 16};

std::vector<StackRun> plan(const ExperimentSettings& settings) {
  std::vector<StackRun> runs;
  for (Index seed = 1; seed <= settings.seeds; ++seed) {
    for (const Index batch : kBatches) {
      for (const char* normalization : {"none", "batch", "group", "layer", "instance"}) {
        StackRun run = usual_run(normalization, settings, static_cast<std::uint64_t>(seed));
        run.name = concat_text(normalization, "-batch", batch, "-seed", seed);
        run.training = with_batch(run.training, batch);
        runs.push_back(run);
      }
    }
  }
  return runs;
}

double batch_of(const StackRun& run) { return static_cast<double>(run.training.batch); }

ReportChart chart(const std::vector<StackRun>& runs, const std::string& title, const std::string& y_label,
                  const StackMeasure& y, const StackMeasure& batch_norm_in_batches = {}) {
  ReportChart chart{.title = title, .x_label = "pictures in a batch", .y_label = y_label, .log_x = true};
  for (const std::string& name : normalizations_of(runs)) {
    chart.curves.push_back(curve_of(runs, name, batch_of, y));
    if (name == "batch" && batch_norm_in_batches) {
      chart.curves.push_back(curve_of(runs, name, batch_of, batch_norm_in_batches));
      chart.curves.back().name = "batch, training mode";
    }
  }
  return chart;
}

ReportTable table(const std::vector<StackRun>& runs) {
  ReportTable table{
      "Crops taken for another photograph, percent of the test crops, in eval mode", {"Normalization"}, {}};
  const std::vector<double> batches = each<double>(runs, batch_of);
  for (const double batch : batches) {
    table.columns.push_back(concat_text("batches of ", batch));
  }
  const auto row = [&](const std::string& label, const std::string& name, const StackMeasure& error) {
    std::vector<std::string> texts = {label};
    for (const double batch : batches) {
      texts.push_back(Spread(values_of(
                                 runs,
                                 [&](const StackRun& run) {
                                   return run.network.normalization == name && batch_of(run) == batch;
                                 },
                                 error))
                          .str());
    }
    table.rows.push_back(texts);
  };
  for (const std::string& name : normalizations_of(runs)) {
    row(label_of(name), name, [](const StackRun& run) { return 100 * run.result.test.error; });
    if (name == "batch") {
      row("batch, training mode", name, test_error_in_batches);
    }
  }
  return table;
}

std::vector<ReportBlock> blocks(const std::vector<StackRun>& runs) {
  return {
      ReportText{
          {"All trainings see the same number of crops; the learning rate is in proportion to the batch. Batch "
           "norm is drawn twice: in eval mode, with the statistics collected in training, and in training mode, "
           "where each test batch brings its own. The others have one mode."}},
      chart(
          runs, "Test error", "percent", [](const StackRun& run) { return 100 * run.result.test.error; },
          test_error_in_batches),
      chart(runs, "Training loss", "loss, mean of the last tenth of the steps",
            [](const StackRun& run) { return run.result.training_loss; }),
      table(runs),
      ReportText{
          {"Mean ± standard deviation over seeds; the bands reach from the lowest to the highest seed."}}};
}

}  // namespace

const Experiment& batch_size_experiment() {
  static const TypedExperiment<StackRun> experiment = [] {
    TypedExperiment<StackRun> e = stack_experiment();
    e.name = "batch-size";
    e.title = "Experiment: batch size";
    e.question = "How few pictures may a batch have, in training and in use?";
    e.source = "Wu and He 2018, arXiv 1803.08494, figure 1";
    e.runs = &ExperimentResults::batch_size;
    e.planned = plan;
    e.measured.emplace_back("test error in batches, %", test_error_in_batches);
    e.blocks = blocks;
    return e;
  }();
  return experiment;
}

}  // namespace gesso
