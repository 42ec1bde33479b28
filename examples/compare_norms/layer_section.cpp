#include "layer_section.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "curves.h"
#include "gesso/core/error.h"
#include "tally.h"

namespace gesso {
namespace {

// What `values` gives of one layer, a row for each channel and a column for each recorded step.
ReportColorMap map_of_layer(const NormalizationRecords& records, const std::string& layer,
                            const std::string& caption,
                            const std::function<std::vector<double>(const NormalizationRecord&)>& values) {
  ReportColorMap map{.caption = caption, .x = {}, .values = {}};
  for (const NormalizationRecord& record : records) {
    if (record.layer != layer) {
      continue;
    }
    const std::vector<double> column = values(record);
    map.values.resize(std::max(map.values.size(), column.size()));
    map.x.push_back(static_cast<double>(record.step));
    for (std::size_t channel = 0; channel < map.values.size(); ++channel) {
      map.values[channel].push_back(channel < column.size() ? column[channel]
                                                            : std::numeric_limits<double>::quiet_NaN());
    }
  }
  return map;
}

std::vector<double> deviations(const NormalizationRecord& record) {
  std::vector<double> deviations = record.variance;
  std::transform(deviations.begin(), deviations.end(), deviations.begin(),
                 [](double variance) { return std::sqrt(variance); });
  return deviations;
}

// The mean over the layers of a number of each, for each recorded step.
ReportChart chart_over_layers(const std::map<std::string, NormalizationRecords>& records,
                              const std::string& title, const std::string& y_label, double factor,
                              double NormalizationRecord::*value, bool log_scale) {
  ReportChart chart{.title = title, .y_label = y_label, .log_scale = log_scale};
  for (const auto& [name, list] : records) {
    std::map<Index, std::vector<double>> by_step;
    for (const NormalizationRecord& record : list) {
      if (std::isfinite(record.*value)) {
        by_step[record.step].push_back(factor * record.*value);
      }
    }
    ReportCurve curve{.name = label_of(name), .color = color_of(name)};
    for (const auto& [step, values] : by_step) {
      curve.x.push_back(static_cast<double>(step));
      curve.y.push_back(Spread(values).mean);
    }
    chart.curves.push_back(curve);
  }
  return chart;
}

}  // namespace

ReportSection layer_section(const std::map<std::string, NormalizationRecords>& records, Index batch) {
  ReportSection section{
      "Inside the layers",
      {ReportText{{concat_text("What the normalization layers saw while they were trained in batches of ",
                               batch, ", first seed: the first layer, one in the middle and the last.")}}}};
  std::vector<std::string> layers;
  for (const auto& [name, list] : records) {
    for (const NormalizationRecord& record : list) {
      if (std::find(layers.begin(), layers.end(), record.layer) == layers.end()) {
        layers.push_back(record.layer);
      }
    }
  }
  if (layers.size() > 3) {
    layers = {layers.front(), layers[layers.size() / 2], layers.back()};
  }
  for (const std::string& layer : layers) {
    ReportColorMaps seen{.title = concat_text("Layer ", layer, ": deviation of what comes in, by channel"),
                         .value_label = "deviation",
                         .log_scale = true};
    ReportColorMaps gamma{.title = concat_text("Layer ", layer, ": gamma, by channel"),
                          .value_label = "gamma"};
    for (const auto& [name, list] : records) {
      const ReportColorMap map = map_of_layer(list, layer, label_of(name), deviations);
      if (!map.values.empty()) {
        seen.maps.push_back(map);
      }
      const ReportColorMap scale = map_of_layer(
          list, layer, label_of(name), [](const NormalizationRecord& record) { return record.gamma; });
      if (!scale.values.empty()) {
        gamma.maps.push_back(scale);
      }
    }
    section.blocks.push_back(seen);
    section.blocks.push_back(gamma);
  }
  section.blocks.push_back(chart_over_layers(records, "Outputs that the ReLU closes, mean over the layers",
                                             "percent", 100, &NormalizationRecord::closed, false));
  section.blocks.push_back(chart_over_layers(records,
                                             "Norm of the gradient that leaves a layer, mean over the layers",
                                             "norm", 1, &NormalizationRecord::input_gradient, true));
  section.blocks.push_back(
      ReportText{{"Layer norm has one deviation for all channels, group norm one for each group; for "
                  "batch-instance norm the batch part is shown. Layers without a ReLU after them count as "
                  "closed where they are negative."}});
  return section;
}

}  // namespace gesso
