#include "samples.h"

#include <algorithm>
#include <cstdio>
#include <set>

#include "gesso/core/memory/memory_pool.h"
#include "gesso/core/pictures/picture.h"
#include "gesso/core/pictures/resize.h"
#include "gesso/training/report/progress.h"
#include "painting/stylize.h"

namespace gesso {
namespace {

constexpr std::size_t kSamples = 3;
constexpr Index kSampleSize = 384;

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

std::vector<SampleStyle> sample_styles(TrainingRun& run) {
  std::vector<SampleStyle> styles;
  for (std::size_t s = 0; s < run.style_pictures().size(); ++s) {
    const Index row = run.settings().row_of_style(static_cast<Index>(s));
    styles.push_back({style_name(run.settings().styles[s]), run.style_pictures()[s],
                      [&run, row](const Tensor& photograph) {
                        StyleNetwork& network = run.network();
                        network.eval();
                        network.set_styles({row});
                        network.set_noise(0);
                        return stylize(network, photograph);
                      }});
  }
  return styles;
}

Samples::Samples(std::vector<SampleStyle> styles, const std::vector<std::string>& photographs)
    : styles_(std::move(styles)) {
  for (const SampleStyle& style : styles_) {
    style_pictures_.push_back(report_picture(style.picture, style.name, "The style picture " + style.name));
  }
  const std::size_t left_out = std::min(kSamples - 1, (styles_.size() - 1) / 2);
  const std::size_t count = std::min(photographs.size(), kSamples - left_out);
  std::set<std::string> tried;
  for (std::size_t i = 0; i < count; ++i) {
    // One that cannot be read leaves its place to the next.
    for (std::size_t k = i * photographs.size() / count; k < photographs.size(); ++k) {
      if (!tried.insert(photographs[k]).second) {
        continue;
      }
      try {
        const std::string name = std::filesystem::path(photographs[k]).stem().string();
        const Tensor photograph = load_sample(photographs[k]);
        samples_.push_back(
            {name, photograph, report_picture(photograph, name, "The photograph " + name), {}});
        break;
      } catch (const FileError&) {
        // The training itself tells of it.
      }
    }
  }
}

void Samples::paint(Index step, const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  for (Sample& sample : samples_) {
    sample.after.clear();
    for (const SampleStyle& style : styles_) {
      const Tensor painted = style.paint(sample.photograph);
      char number[32];
      std::snprintf(number, sizeof number, "step-%06lld-", static_cast<long long>(step));
      const std::string of_style = styles_.size() > 1 ? "-" + style.name : "";
      save_picture((folder / (number + sample.name + of_style + ".jpg")).string(), painted);
      const std::string like = styles_.size() > 1 ? " like " + style.name : "";
      sample.after.push_back(
          report_picture(painted, concat_text(sample.name, like, ", repainted after ", step, " steps"),
                         concat_text("The photograph ", sample.name, " repainted", like)));
    }
  }
}

std::vector<ReportBlock> Samples::report_blocks() const {
  std::vector<ReportBlock> blocks;
  // A row for each style.
  ReportPictures grid{.title = "", .pictures = {}, .columns = static_cast<int>(samples_.size()) + 1};
  for (std::size_t s = 0; s < styles_.size(); ++s) {
    grid.pictures.push_back(style_pictures_[s]);
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
      std::vector<ReportPicture> pictures = {sample.before};
      for (std::size_t s = 0; s < styles_.size(); ++s) {
        pictures.push_back(sample.after[(i + s) % styles_.size()]);
      }
      blocks.emplace_back(ReportComparison{sample.name, {{sample.name, std::move(pictures)}}});
    }
  }
  return blocks;
}

Report training_report(const std::string& title, const std::string& summary, const std::vector<LogEntry>& log,
                       const Samples& samples, const LossWeights& weights,
                       const std::map<std::string, std::string>& settings) {
  Report report;
  report.title = title;
  report.summary = {summary};
  const LogEntry last = log.empty() ? LogEntry() : log.back();
  const double seconds = logged(last, "seconds").value_or(0), loss = logged(last, "loss").value_or(0);
  const double steps = static_cast<double>(log.size());
  report.figures = {{"steps", std::to_string(log.size())},
                    {"loss", text(loss, "%.3f")},
                    {"training time", ProgressBar::duration(seconds)},
                    {"per step", text(steps > 0 ? 1000 * seconds / steps : 0, "%.0f ms")},
                    {"peak memory", text(static_cast<double>(memory_stats().peak_bytes >> 20), "%.0f MiB")}};
  report.sections.push_back({"Pictures", samples.report_blocks()});
  const LossWeights& w = weights;
  std::vector<ReportCurve> curves = {
      log_curve(log, "loss", "total"), log_curve(log, "content", "content", w.content),
      log_curve(log, "style", "style", w.style), log_curve(log, "tv", "total variation", w.tv),
      log_curve(log, "range", "range", w.range)};
  for (const ReportCurve& rare : {log_curve(log, "photograph", "photograph", w.photograph),
                                  log_curve(log, "steadiness", "steadiness", w.steadiness)}) {
    if (!rare.x.empty()) {
      curves.push_back(rare);
    }
  }
  report.sections.push_back({"Losses",
                             {ReportChart{.title = "Loss and its terms",
                                          .y_label = "loss, weighted",
                                          .curves = curves,
                                          .log_scale = true}}});
  report.add_settings(settings);
  return report;
}

Report training_report(const TrainSettings& settings, const std::vector<LogEntry>& log,
                       const Samples& samples) {
  std::string styles;
  for (std::size_t s = 0; s < settings.styles.size(); ++s) {
    styles += (s == 0                            ? ""
               : s + 1 == settings.styles.size() ? " and "
                                                 : ", ") +
              style_name(settings.styles[s]);
  }
  std::replace(styles.begin(), styles.end(), '_', ' ');
  return training_report("Painting like " + styles,
                         concat_text("A feed-forward style network with ", settings.network.normalization,
                                     " normalization, trained for ", settings.steps, " steps."),
                         log, samples, settings.weights, settings.to_metadata());
}

}  // namespace gesso
