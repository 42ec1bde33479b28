#include "report.h"

#include <algorithm>
#include <cmath>

#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/core/pictures/resize.h"
#include "gesso/training/report/progress.h"

namespace gesso {
namespace {

constexpr Index kColumns = 8;

std::string percent(double part) { return concat_text(std::round(1000 * part) / 10, " %"); }

// `count` squares in rows of eight, each with a white frame of a pixel. value(k, c, i): of colour c at pixel i
// of square k.
template <class Value>
Tensor mosaic(Index count, Index side, Value value) {
  const Index cell = side + 1, rows = (count + kColumns - 1) / kColumns;
  Tensor picture = Tensor::ones({1, 3, rows * cell + 1, kColumns * cell + 1});
  float* to = picture.mutable_data<float>();
  for (Index k = 0; k < count; ++k) {
    for (Index c = 0; c < 3; ++c) {
      for (Index i = 0; i < side * side; ++i) {
        const Index y = k / kColumns * cell + 1 + i / side, x = k % kColumns * cell + 1 + i % side;
        to[(c * picture.size(2) + y) * picture.size(3) + x] = value(k, c, i);
      }
    }
  }
  return picture;
}

// Evenly spread channels of a layer's features (1, C, H, W), as (16, side, side).
Tensor some_channels(const Tensor& features, Index side) {
  const Index step = features.size(1) / (2 * kColumns), pixels = features.size(2) * features.size(3);
  Tensor chosen = Tensor::empty({1, 2 * kColumns, features.size(2), features.size(3)});
  for (Index c = 0; c < 2 * kColumns; ++c) {
    std::copy_n(features.data<float>() + c * step * pixels, pixels,
                chosen.mutable_data<float>() + c * pixels);
  }
  return resize_picture(chosen, side, side).reshape({2 * kColumns, side, side});
}

// What teacher and student see of one test crop in a layer: white is nothing, dark blue the strongest that
// the teacher sees in that channel.
ReportPictures layer_pictures(const Tensor& teacher, const Tensor& student, const std::string& name) {
  constexpr Index side = 40;
  const Tensor a = some_channels(teacher, side), b = some_channels(student, side);
  std::vector<float> most;
  for (Index c = 0; c < a.size(0); ++c) {
    const float* plane = a.data<float>() + c * side * side;
    most.push_back(std::max(1e-6f, *std::max_element(plane, plane + side * side)));
  }
  const auto shown = [&](const Tensor& planes) {
    return mosaic(planes.size(0), side, [&](Index channel, Index colour, Index i) {
      constexpr float darkening[] = {0.95f, 0.8f, 0.45f};
      const float value = planes.data<float>()[channel * side * side + i];
      return 1 - darkening[colour] * std::clamp(value / most[static_cast<std::size_t>(channel)], 0.0f, 1.0f);
    });
  };
  const std::string of = concat_text("Sixteen channels of ", name, " as the ");
  return {.title = name,
          .pictures = {report_picture(shown(a), "teacher", of + "teacher sees them", true),
                       report_picture(shown(b), "student", of + "student sees them", true)},
          .columns = 2};
}

// The filters of the first layer as the colours that excite them, gray for 0.
Tensor filters_picture(const Tensor& weight) {
  const Index side = weight.size(2), count = weight.size(0), numbers = 3 * side * side;
  const float* w = weight.data<float>();
  std::vector<float> largest;
  for (Index k = 0; k < count; ++k) {
    largest.push_back(std::max(
        1e-6f, std::abs(*std::max_element(w + k * numbers, w + (k + 1) * numbers,
                                          [](float a, float b) { return std::abs(a) < std::abs(b); }))));
  }
  return mosaic(count, side, [&](Index k, Index colour, Index i) {
    return 0.5f + 0.5f * w[k * numbers + colour * side * side + i] / largest[static_cast<std::size_t>(k)];
  });
}

}  // namespace

Report loss_network_report(LossNetworkTraining& training, const std::vector<LogEntry>& log) {
  const NoGradGuard no_grad;
  const LossNetworkSettings& settings = training.settings();
  const std::vector<std::string>& names = training.layer_names();
  std::vector<ReportCurve> unseen, seen;
  Report report;
  report.title = "A loss network of our own";
  report.summary = {concat_text("A student learns to see pictures as ", settings.teacher,
                                " does, which was trained to name what is on a million photographs. Shown ",
                                training.files().size(),
                                " pictures in crops, it predicts what each layer of the teacher computes.")};
  report.figures = {
      {"steps", std::to_string(training.training().steps_done())},
      {"training time", ProgressBar::duration(log.empty() ? 0 : logged(log.back(), "seconds").value_or(0))}};
  for (const std::string& name : names) {
    unseen.push_back(log_curve(log, "test_" + name, name));
    seen.push_back(log_curve(log, name, name));
    report.figures.push_back(
        {name + " unexplained", unseen.back().y.empty() ? "-" : percent(unseen.back().y.back())});
  }
  report.sections.push_back(
      {"What is still to learn",
       {ReportText{
            {"The share of the teacher's variance that the student does not explain, layer by layer, on "
             "pictures that it never trained on: 1 is to know nothing, 0 to see the same. Deep layers "
             "are harder, as they build on all before them."}},
        ReportChart{.title = "Unseen pictures",
                    .y_label = "unexplained variance",
                    .curves = unseen,
                    .log_scale = true},
        ReportChart{.title = "Training crops",
                    .y_label = "mean squared error, channels of deviation 1",
                    .curves = seen,
                    .log_scale = true}}});

  const Tensor crop = training.test_crops().slice(0, 1);
  const NamedTensors weights = training.weights();
  const SqueezeNet student({}, weights);
  const std::vector<Tensor> a = training.teacher().features(crop), b = student.features(crop);
  ReportSection sees{"What they see", {}};
  sees.blocks.push_back(ReportText{
      {"One crop of a picture that the student never trained on, and sixteen channels of each layer: the "
       "darker, the more a channel finds there what it looks for."}});
  sees.blocks.push_back(ReportPictures{
      .title = "", .pictures = {report_picture(crop, "the crop", "A crop of a test picture")}, .columns = 3});
  for (std::size_t i = 0; i < names.size(); ++i) {
    sees.blocks.push_back(layer_pictures(a[i], b[i], names[i]));
  }
  report.sections.push_back(sees);
  report.sections.push_back(
      {"What the first layer looks for",
       {ReportText{{"Each square is one 7x7 filter of the student, as the colours that excite it most."}},
        ReportPictures{.title = "",
                       .pictures = {report_picture(filters_picture(weights.front().second), "96 filters",
                                                   "The filters of the first layer in rows of 8", true)},
                       .columns = 1}}});
  report.add_settings(settings.to_metadata());
  return report;
}

}  // namespace gesso
