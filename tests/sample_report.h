// A small report with one of everything, for the tests of reports.
#pragma once

#include <cmath>
#include <limits>
#include <string>

#include "gesso/training/report/report.h"

namespace gesso::testing {

/// A picture of one colour with a diagonal.
inline Tensor sample_picture(double red, Index height = 24, Index width = 36) {
  Tensor picture = Tensor::full({1, 3, height, width}, red);
  for (Index i = 0; i < height; ++i) {
    picture.set({0, 1, i, i}, 1);
  }
  return picture;
}

/// Hostile texts, a gap and a value of 0 in a curve, the same picture twice.
inline Report sample_report() {
  Report report;
  report.title = "Night </script><script>window.broken = 1</script><!-- & \"quotes\"";
  report.summary = {"One line.", "<b>Another</b> line."};
  report.figures = {{"Total", "1.93"}, {"Speed", "2.4 steps/s"}};
  std::vector<double> x, y, noisy;
  for (int i = 1; i <= 100; ++i) {
    x.push_back(i);
    y.push_back(10.0 / i);
    noisy.push_back(i == 50 ? std::numeric_limits<double>::infinity() : i == 60 ? 0 : 2 + std::sin(i));
  }
  ReportChart loss{.title = "Loss", .y_label = "loss", .curves = {{"total", x, y}, {"style", x, noisy}}};
  ReportChart band{
      .title = "Spread", .curves = {{"batch", {1, 2, 16}, {3, 2, 1}, {2, 1, 0.5}, {4, 3, 2}}}, .log_x = true};
  ReportTable table{"Costs", {"Norm", "Total"}, {{"instance", "3.25 ± 0.1"}, {"batch", "6.66"}}};
  const ReportFormula formula{{"y = gamma x-hat + beta", "<i>dx</i> = inv_std g"}};
  const ReportMatrices matrices{"x-hat", {{"sample 0", {{-1, 0.5}, {0, -0.001}}}, {"sample 1", {{2, 1}}}}};
  const double gap = std::numeric_limits<double>::quiet_NaN();
  const ReportColorMaps maps{
      .title = "Deviation",
      .value_label = "deviation",
      .maps = {{"first", {10, 20, 30}, {{1, 2, 3}, {0.5, gap, 4}}}, {"second", {10}, {{8}, {0}}}},
      .log_scale = true};
  const ReportGrid grid{.title = "Map",
                        .column_label = "rate",
                        .columns = {"0.1", "1"},
                        .rows = {"none", "<i>batch</i>"},
                        .cells = {{{2, "2.00", "± 0.1"}, {gap, "NaN"}}, {{1, "1.00"}, {3, "3.00"}}}};
  const ReportFindings findings{{{"<i>A</i> is less than B", Verdict::supported, "1 against 2",
                                  ReportEffect{{0.4, 0.6}, 0.5, 0.3, 0.7, 0.05}},
                                 {"C is 0", Verdict::contradicted, "It was 3."}}};
  const ReportPicture day = report_picture(sample_picture(0.9), "day", "A red square");
  const ReportPicture night = report_picture(sample_picture(0.1), "night", "A dark square");
  const ReportPicture dusk = report_picture(sample_picture(0.5), "dusk", "A brown square");
  ReportPicture map = report_picture(sample_picture(0.4, 4, 5), "map", "Means by layer", true);
  report.sections = {
      {"Curves",
       {ReportText{{"Thin lines are single steps."}}, loss, band, table, formula, matrices, maps, grid,
        findings}},
      {"Pictures",
       {ReportComparison{"Wipe", {{"square", {day, night, dusk}}, {"map", {day, map}}}},
        ReportPictures{"All", {day, night, map}},
        ReportPictureSteps{.title = "On the way", .steps = {10, 20, 40}, .series = {{night, dusk, day}}}}}};
  report.settings = {{"width", "16"}, {"file", "caf\xe9.jpg"}};  // Latin-1, not UTF-8
  report.notes = {"Small print."};
  return report;
}

}  // namespace gesso::testing
