#include "samples.h"

#include <algorithm>
#include <cstdio>

#include "gesso/core/memory_pool.h"
#include "gesso/core/picture.h"
#include "gesso/core/resize.h"
#include "gesso/training/progress.h"
#include "stylize.h"

namespace gesso {
namespace {

constexpr std::size_t kSamples = 3;
constexpr std::int64_t kSampleSize = 384;

Tensor load_sample(const std::string& path) {
  const Tensor picture = load_picture(path);
  return std::min(picture.size(2), picture.size(3)) > kSampleSize ? resize_short_side(picture, kSampleSize)
                                                                  : picture;
}

// The values of one name over the log, against the steps.
ReportCurve curve(const std::vector<LogEntry>& log, const std::string& name, double factor,
                  const std::string& label) {
  ReportCurve result{.name = label};
  for (const LogEntry& entry : log) {
    double step = 0;
    for (const auto& [each, value] : entry) {
      if (each == "step") {
        step = value;
      } else if (each == name) {
        result.x.push_back(step);
        result.y.push_back(factor * value);
      }
    }
  }
  return result;
}

std::string text(double value, const char* format) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, format, value);
  return buffer;
}

}  // namespace

Samples::Samples(const std::vector<std::string>& photographs, const Tensor& style_picture)
    : style_(report_picture(style_picture, "The style picture", "The style picture")) {
  const std::size_t count = std::min(kSamples, photographs.size());
  for (std::size_t i = 0; i < count; ++i) {
    const std::string& path = photographs[i * photographs.size() / count];
    const std::string name = std::filesystem::path(path).stem().string();
    const Tensor photograph = load_sample(path);
    samples_.push_back({name, photograph, report_picture(photograph, name, "The photograph " + name), {}});
  }
}

void Samples::paint(StyleNetwork& network, std::int64_t step, const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  const bool was_training = network.is_training();
  network.eval();
  for (Sample& sample : samples_) {
    const Tensor painted = stylize(network, sample.photograph);
    char name[32];
    std::snprintf(name, sizeof name, "step-%06lld-", static_cast<long long>(step));
    save_picture((folder / (name + sample.name + ".jpg")).string(), painted);
    sample.after = report_picture(painted, concat_text(sample.name, ", repainted after ", step, " steps"),
                                  concat_text("The photograph ", sample.name, " repainted in the style"));
  }
  network.train(was_training);
}

std::vector<ReportBlock> Samples::report_blocks() const {
  ReportPictures grid{.title = "", .pictures = {style_}, .columns = static_cast<int>(samples_.size()) + 1};
  std::vector<ReportBlock> blocks;
  for (const Sample& sample : samples_) {
    if (!sample.after.file.empty()) {
      grid.pictures.push_back(sample.after);
    }
  }
  blocks.emplace_back(grid);
  for (const Sample& sample : samples_) {
    if (!sample.after.file.empty()) {
      blocks.emplace_back(
          ReportComparison{.title = sample.name, .left = sample.before, .right = sample.after});
    }
  }
  return blocks;
}

Report training_report(const TrainSettings& settings, const std::vector<LogEntry>& log,
                       const Samples& samples, std::optional<ReportProgress> progress) {
  Report report;
  std::string style = std::filesystem::path(settings.style).stem().string();
  std::replace(style.begin(), style.end(), '_', ' ');
  report.title = "Painting like " + style;
  report.summary = {concat_text("A feed-forward style network with ", settings.network.normalization,
                                " normalization, trained for ", settings.steps, " steps.")};
  report.progress = std::move(progress);
  double seconds = 0, loss = 0;
  for (const LogEntry& entry : log) {
    for (const auto& [name, value] : entry) {
      seconds = name == "seconds" ? value : seconds;
      loss = name == "loss" ? value : loss;
    }
  }
  const double steps = static_cast<double>(log.size());
  report.figures = {{"steps", std::to_string(log.size())},
                    {"loss", text(loss, "%.3f")},
                    {"training time", ProgressBar::duration(seconds)},
                    {"per step", text(steps > 0 ? 1000 * seconds / steps : 0, "%.0f ms")},
                    {"peak memory", text(static_cast<double>(memory_stats().peak_bytes >> 20), "%.0f MiB")}};
  report.sections.push_back({"Pictures", samples.report_blocks()});
  const LossWeights& w = settings.weights;
  report.sections.push_back(
      {"Losses",
       {ReportChart{
           .title = "Loss, and what it is the sum of",
           .y_label = "loss, weighted",
           .curves = {curve(log, "loss", 1, "total"), curve(log, "content", w.content, "content"),
                      curve(log, "style", w.style, "style"), curve(log, "tv", w.tv, "total variation"),
                      curve(log, "range", w.range, "range")},
           .log_scale = true}}});
  for (const auto& [name, value] : settings.to_metadata()) {
    report.settings.emplace_back(name, value);
  }
  for (const auto& entry : machine_entries()) {
    report.settings.push_back(entry);
  }
  return report;
}

}  // namespace gesso
