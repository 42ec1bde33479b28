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

std::string text(double value, const char* format) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, format, value);
  return buffer;
}

}  // namespace

Samples::Samples(const TrainingRun& run) {
  for (std::size_t s = 0; s < run.style_pictures().size(); ++s) {
    const std::string name = style_name(run.settings().styles[s]);
    styles_.push_back({name, run.settings().row_of_style(static_cast<std::int64_t>(s)),
                       report_picture(run.style_pictures()[s], name, "The style picture " + name)});
  }
  const std::vector<std::string>& photographs = run.photographs().files();
  const std::size_t left_out = std::min(kSamples - 1, (styles_.size() - 1) / 2);
  const std::size_t count = std::min(photographs.size(), kSamples - left_out);
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
    sample.after.clear();
    for (std::size_t s = 0; s < styles_.size(); ++s) {
      network.set_styles({styles_[s].row});
      const Tensor painted = stylize(network, sample.photograph);
      char number[32];
      std::snprintf(number, sizeof number, "step-%06lld-", static_cast<long long>(step));
      const std::string of_style = styles_.size() > 1 ? "-" + styles_[s].name : "";
      save_picture((folder / (number + sample.name + of_style + ".jpg")).string(), painted);
      const std::string like = styles_.size() > 1 ? " like " + styles_[s].name : "";
      sample.after.push_back(
          report_picture(painted, concat_text(sample.name, like, ", repainted after ", step, " steps"),
                         concat_text("The photograph ", sample.name, " repainted", like)));
    }
  }
  network.train(was_training);
}

std::vector<ReportBlock> Samples::report_blocks() const {
  std::vector<ReportBlock> blocks;
  // A row for each style.
  ReportPictures grid{.title = "", .pictures = {}, .columns = static_cast<int>(samples_.size()) + 1};
  for (std::size_t s = 0; s < styles_.size(); ++s) {
    grid.pictures.push_back(styles_[s].picture);
    for (const Sample& sample : samples_) {
      if (!sample.after.empty()) {
        grid.pictures.push_back(sample.after[s]);
      }
    }
  }
  blocks.emplace_back(grid);
  for (std::size_t i = 0; i < samples_.size(); ++i) {
    const Sample& sample = samples_[i];
    if (!sample.after.empty()) {
      blocks.emplace_back(ReportComparison{
          .title = sample.name, .left = sample.before, .right = sample.after[i % styles_.size()]});
    }
  }
  return blocks;
}

Report training_report(const TrainSettings& settings, const std::vector<LogEntry>& log,
                       const Samples& samples, std::optional<ReportProgress> progress) {
  Report report;
  std::string styles;
  for (std::size_t s = 0; s < settings.styles.size(); ++s) {
    styles += (s == 0                            ? ""
               : s + 1 == settings.styles.size() ? " and "
                                                 : ", ") +
              style_name(settings.styles[s]);
  }
  std::replace(styles.begin(), styles.end(), '_', ' ');
  report.title = "Painting like " + styles;
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
  std::vector<ReportCurve> curves = {
      log_curve(log, "loss", "total"), log_curve(log, "content", "content", w.content),
      log_curve(log, "style", "style", w.style), log_curve(log, "tv", "total variation", w.tv),
      log_curve(log, "range", "range", w.range)};
  if (settings.strength) {
    curves.push_back(log_curve(log, "photograph", "photograph", w.photograph));
  }
  report.sections.push_back({"Losses",
                             {ReportChart{.title = "Loss, and what it is the sum of",
                                          .y_label = "loss, weighted",
                                          .curves = curves,
                                          .log_scale = true}}});
  report.add_settings(settings.to_metadata());
  return report;
}

}  // namespace gesso
