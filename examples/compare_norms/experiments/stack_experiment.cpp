#include "stack_experiment.h"

#include <algorithm>
#include <cmath>

#include "compare_norms/curves.h"
#include "compare_norms/tally.h"
#include "gesso/core/error.h"

namespace gesso {
namespace {

constexpr Index kBatch = 16;
constexpr double kRate = 0.02;

bool train_run(const ClassificationTask& task, StackRun& run, const AfterPictures& after_pictures) {
  const std::optional<StackResult> result = train_stack(
      task, run.network, run.training, [&](Index step) { return after_pictures(step * run.training.batch); });
  if (result) {
    run.result = *result;
  }
  return result.has_value();
}

ReportGridCell cell_of(const std::vector<StackRun>& runs, const StackFilter& here,
                       const StackMeasure& measure) {
  const auto count = std::count_if(runs.begin(), runs.end(), here);
  const auto count_if = [&](const StackFilter& what) {
    return std::count_if(runs.begin(), runs.end(),
                         [&](const StackRun& run) { return here(run) && what(run); });
  };
  const auto diverged = count_if([](const StackRun& run) { return run.result.diverged_at > 0; });
  if (diverged > 0) {
    return {.value = NAN, .text = "✕", .note = concat_text(diverged, " of ", count)};
  }
  if (count_if(has_learned) == 0) {
    return {.value = NAN, .text = count == 0 ? "–" : "○"};
  }
  const Spread spread(values_of(runs, here, measure));
  const std::string text = spread.str();
  const std::size_t end = text.find(" ±");
  return {.value = spread.mean,
          .text = text.substr(0, end),
          .note = end == std::string::npos ? "" : text.substr(end + 1)};
}

}  // namespace

const char* const kGridWords =
    "Mean ± standard deviation over seeds. ✕: in so many of the seeds the loss was no longer finite. ○: no seed brought "
    "its training loss below nine tenths of a guess's.";

TypedExperiment<StackRun> stack_experiment() {
  TypedExperiment<StackRun> experiment;
  experiment.do_training = train_run;
  experiment.measured = {{"training loss", [](const StackRun& run) { return run.result.training_loss; }},
                         {"test error, %", [](const StackRun& run) { return 100 * run.result.test.error; }}};
  return experiment;
}

double test_error_in_batches(const StackRun& run) { return 100 * run.result.test_in_batches.error; }

StackRun usual_run(const std::string& normalization, const ExperimentSettings& settings, std::uint64_t seed) {
  return {.name = concat_text(normalization, "-seed", seed),
          .network = {.normalization = normalization, .weights = InitialWeights::he, .depth = 6},
          .training = {.batch = kBatch, .steps = settings.steps, .lr = kRate, .seed = seed}};
}

StackTraining with_batch(const StackTraining& from, Index batch) {
  StackTraining training = from;
  training.batch = batch;
  training.steps = from.steps * from.batch / batch;
  training.lr = from.lr * static_cast<double>(batch) / static_cast<double>(from.batch);
  return training;
}

bool has_learned(const StackRun& run) { return run.result.training_loss < 0.9 * run.result.guess_loss; }

std::vector<double> values_of(const std::vector<StackRun>& runs, const StackFilter& filter,
                              const StackMeasure& measure) {
  std::vector<double> values;
  for (const StackRun& run : runs) {
    if (filter(run) && std::isfinite(measure(run))) {
      values.push_back(measure(run));
    }
  }
  return values;
}

std::vector<std::string> normalizations_of(const std::vector<StackRun>& runs) {
  return each<std::string>(runs, [](const StackRun& run) { return run.network.normalization; });
}

ReportCurve curve_of(const std::vector<StackRun>& runs, const std::string& normalization,
                     const StackMeasure& x, const StackMeasure& y) {
  ReportCurve curve{.name = label_of(normalization), .color = color_of(normalization)};
  for (const double place : each<double>(runs, x)) {
    const std::vector<double> values = values_of(
        runs,
        [&](const StackRun& run) { return run.network.normalization == normalization && x(run) == place; },
        y);
    if (!values.empty()) {
      const auto [low, high] = std::minmax_element(values.begin(), values.end());
      curve.x.push_back(place);
      curve.y.push_back(Spread(values).mean);
      curve.low.push_back(*low);
      curve.high.push_back(*high);
    }
  }
  return curve;
}

ReportGrid stack_grid(const std::vector<StackRun>& runs, const std::string& title,
                      const std::string& column_label,
                      const std::function<std::string(const StackRun&)>& setting,
                      const StackMeasure& measure) {
  ReportGrid grid{.title = title,
                  .column_label = column_label,
                  .columns = each<std::string>(runs, setting),
                  .rows = normalizations_of(runs)};
  for (const std::string& name : grid.rows) {
    grid.cells.emplace_back();
    for (const std::string& column : grid.columns) {
      const StackFilter here = [&](const StackRun& run) {
        return run.network.normalization == name && setting(run) == column;
      };
      grid.cells.back().push_back(cell_of(runs, here, measure));
    }
  }
  return grid;
}

}  // namespace gesso
