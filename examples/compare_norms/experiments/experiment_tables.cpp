#include "experiment_tables.h"

#include <algorithm>
#include <cmath>

#include "compare_norms/curves.h"
#include "compare_norms/tally.h"
#include "gesso/core/error.h"

namespace gesso {
namespace {

using Condition = std::pair<std::string, std::string>;  // normalization and setting

// What stands in a list of numbers, each once, in their order.
template <class Value>
auto each_once(const std::vector<TrainingNumbers>& list, const Value& value) {
  std::vector<std::decay_t<decltype(value(list.front()))>> values;
  for (const TrainingNumbers& numbers : list) {
    if (std::find(values.begin(), values.end(), value(numbers)) == values.end()) {
      values.push_back(value(numbers));
    }
  }
  return values;
}

Condition condition_of(const TrainingNumbers& numbers) { return {numbers.normalization, numbers.setting}; }

// "1.50 ± 0.12" of all seeds of a condition; "–" of none.
std::string cell(const std::vector<TrainingNumbers>& list, const Condition& condition, std::size_t measure) {
  std::vector<double> values;
  for (const TrainingNumbers& numbers : list) {
    if (condition_of(numbers) == condition) {
      values.push_back(numbers.values[measure]);
    }
  }
  const auto diverged =
      std::count_if(values.begin(), values.end(), [](double value) { return !std::isfinite(value); });
  return diverged == 0 ? Spread(values).str() : concat_text(diverged, " of ", values.size(), " diverged");
}

}  // namespace

std::vector<ReportTable> experiment_tables(const Experiment& experiment, const ExperimentResults& results) {
  const std::vector<TrainingNumbers> list = experiment.numbers(results);
  const std::vector<std::string> measures = experiment.measures();
  const auto settings = each_once(list, [](const TrainingNumbers& numbers) { return numbers.setting; });
  const auto names = each_once(list, [](const TrainingNumbers& numbers) { return numbers.normalization; });
  std::vector<ReportTable> tables;
  if (settings.size() == 1) {
    ReportTable& table = tables.emplace_back(ReportTable{experiment.name, {"Normalization"}, {}});
    table.columns.insert(table.columns.end(), measures.begin(), measures.end());
    for (const std::string& name : names) {
      std::vector<std::string>& row = table.rows.emplace_back(1, label_of(name));
      for (std::size_t measure = 0; measure < measures.size(); ++measure) {
        row.push_back(cell(list, {name, settings.front()}, measure));
      }
    }
    return tables;
  }
  for (std::size_t measure = 0; measure < measures.size(); ++measure) {
    ReportTable& table = tables.emplace_back(
        ReportTable{concat_text(experiment.name, ": ", measures[measure]), {"Normalization"}, {}});
    table.columns.insert(table.columns.end(), settings.begin(), settings.end());
    for (const std::string& name : names) {
      std::vector<std::string>& row = table.rows.emplace_back(1, label_of(name));
      for (const std::string& setting : settings) {
        row.push_back(cell(list, {name, setting}, measure));
      }
    }
  }
  return tables;
}

std::optional<ReportTable> experiment_table_against(const Experiment& experiment,
                                                    const ExperimentResults& here,
                                                    const ExperimentResults& there, const std::string& name) {
  const std::vector<TrainingNumbers> a = experiment.numbers(here), b = experiment.numbers(there);
  std::vector<Condition> both;
  const std::vector<Condition> others = each_once(b, condition_of);
  for (const Condition& condition : each_once(a, condition_of)) {
    if (std::find(others.begin(), others.end(), condition) != others.end()) {
      both.push_back(condition);
    }
  }
  const bool settings =
      std::any_of(both.begin(), both.end(), [](const Condition& c) { return !c.second.empty(); });
  const std::vector<std::string> measures = experiment.measures();
  ReportTable table{concat_text("Experiment ", experiment.name, ": this and ", name), {"Normalization"}, {}};
  if (settings) {
    table.columns.emplace_back("Setting");
  }
  for (const std::string& measure : measures) {
    table.columns.push_back(measure);
    table.columns.push_back(name);
  }
  for (const Condition& condition : both) {
    std::vector<std::string>& row = table.rows.emplace_back(1, condition.first);
    if (settings) {
      row.push_back(condition.second);
    }
    for (std::size_t measure = 0; measure < measures.size(); ++measure) {
      row.push_back(cell(a, condition, measure));
      row.push_back(cell(b, condition, measure));
    }
  }
  return both.empty() ? std::nullopt : std::optional(table);
}

}  // namespace gesso
