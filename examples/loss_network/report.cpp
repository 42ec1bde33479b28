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

// Planes of one size, (count, side, side), in rows of eight, each with a white frame of a pixel. `map` turns a
// value of a plane into red, green and blue.
template <class Map>
Tensor mosaic(const Tensor& planes, Map map) {
  const Index count = planes.size(0), side = planes.size(1), cell = side + 1;
  const Index rows = (count + kColumns - 1) / kColumns;
  Tensor picture = Tensor::ones({1, 3, rows * cell + 1, kColumns * cell + 1});
  float* to = picture.mutable_data<float>();
  const float* from = planes.data<float>();
  for (Index p = 0; p < count; ++p, from += side * side) {
    for (Index i = 0; i < side * side; ++i) {
      const Index y = p / kColumns * cell + 1 + i / side, x = p % kColumns * cell + 1 + i % side;
      const auto rgb = map(p, from[i]);
      for (Index c = 0; c < 3; ++c) {
        to[(c * picture.size(2) + y) * picture.size(3) + x] = rgb[static_cast<std::size_t>(c)];
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
  const auto map = [&](Index channel, float value) {
    const float v = std::clamp(value / most[static_cast<std::size_t>(channel)], 0.0f, 1.0f);
    return std::vector<float>{1 - 0.95f * v, 1 - 0.8f * v, 1 - 0.45f * v};
  };
  const std::string of = concat_text("Sixteen channels of ", name, " as the ");
  return {.title = name,
          .pictures = {report_picture(mosaic(a, map), "teacher", of + "teacher sees them", true),
                       report_picture(mosaic(b, map), "student", of + "student sees them", true)},
          .columns = 2};
}

// The filters of the first layer as the colours that excite them, gray for 0.
Tensor filters_picture(const Tensor& weight) {
  const Index side = weight.size(2), count = weight.size(0);
  // Colour by colour: mosaic() paints gray planes.
  Tensor result;
  for (Index c = 0; c < 3; ++c) {
    Tensor planes = Tensor::empty({count, side, side});
    for (Index k = 0; k < count; ++k) {
      const float* w = weight.data<float>() + k * 3 * side * side;
      const float largest = std::abs(*std::max_element(
          w, w + 3 * side * side, [](float a, float b) { return std::abs(a) < std::abs(b); }));
      for (Index i = 0; i < side * side; ++i) {
        planes.mutable_data<float>()[k * side * side + i] =
            0.5f + 0.5f * w[c * side * side + i] / std::max(1e-6f, largest);
      }
    }
    const Tensor gray = mosaic(planes, [](Index, float v) { return std::vector<float>{v, v, v}; });
    if (!result.defined()) {
      result = gray;
    } else {
      const Index pixels = gray.size(2) * gray.size(3);
      std::copy_n(gray.data<float>(), pixels, result.mutable_data<float>() + c * pixels);
    }
  }
  return result;
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
