#include "report.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "gesso/core/pictures/resize.h"
#include "gesso/training/report/progress.h"

namespace gesso {
namespace {

std::string percent(double part) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%", 100 * part);
  return text;
}

// The 3x3 filters of the first layer as colours, gray for 0, in rows of 8.
Tensor filters_picture(const Tensor& weight) {
  constexpr Index columns = 8, cell = 4;
  const Index rows = (weight.size(0) + columns - 1) / columns;
  Tensor picture = Tensor::ones({1, 3, rows * cell + 1, columns * cell + 1});
  float* values = picture.mutable_data<float>();
  const float* w = weight.data<float>();
  for (Index k = 0; k < weight.size(0); ++k, w += 27) {
    const float largest = std::max(
        1e-6f,
        std::abs(*std::max_element(w, w + 27, [](float a, float b) { return std::abs(a) < std::abs(b); })));
    for (Index i = 0; i < 27; ++i) {
      const Index y = k / columns * cell + 1 + i / 3 % 3, x = k % columns * cell + 1 + i % 3;
      values[(i / 9 * picture.size(2) + y) * picture.size(3) + x] = 0.5f + 0.5f * w[i] / largest;
    }
  }
  return picture;
}

}  // namespace

Report loss_network_report(LossNetworkTraining& training, const std::vector<LogEntry>& log) {
  const LossNetworkSettings& settings = training.settings();
  const ReportCurve test = log_curve(log, "test_accuracy", "new crops, not varied");
  Report report;
  report.title = "A loss network of our own";
  report.summary = {concat_text(
      "Trained to tell which of ", training.files().size(),
      " pictures a crop was cut out of. Nobody labelled anything: the pictures are the classes.")};
  report.figures = {
      {"steps", std::to_string(training.training().steps_done())},
      {"accuracy on new crops", test.y.empty() ? "-" : percent(test.y.back())},
      {"guessing", percent(1.0 / static_cast<double>(training.files().size()))},
      {"training time", ProgressBar::duration(log.empty() ? 0 : logged(log.back(), "seconds").value_or(0))}};
  report.sections.push_back(
      {"Curves",
       {ReportChart{.title = "Accuracy",
                    .y_label = "share named correctly",
                    .curves = {log_curve(log, "accuracy", "training crops, varied"), test}},
        ReportChart{
            .title = "Loss", .y_label = "cross entropy", .curves = {log_curve(log, "loss", "training")}}}});
  const NamedTensors weights = training.weights();
  report.sections.push_back(
      {"What the first layer looks for",
       {ReportText{
            {"Each square is one 3x3 filter, as the colours that excite it most; the others inhibit it."}},
        ReportPictures{.title = "",
                       .pictures = {report_picture(filters_picture(weights.front().second), "32 filters",
                                                   "The 3x3 filters of the first layer in rows of 8", true)},
                       .columns = 1}}});
  report.add_settings(settings.to_metadata());
  return report;
}

}  // namespace gesso
