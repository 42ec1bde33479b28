// What people look at while a network trains: sample pictures and the report.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "gesso/training/report/log.h"
#include "gesso/training/report/report.h"
#include "painting/training_run.h"

namespace gesso {

/// A style that samples are painted in.
struct SampleStyle {
  std::string name;
  Tensor picture;                                         ///< (1, 3, H, W)
  std::function<Tensor(const Tensor& photograph)> paint;  ///< by the network as it is at that time
};

/// The styles of a training run.
std::vector<SampleStyle> sample_styles(TrainingRun& run);

/// A few photographs that are repainted again and again during a training.
class Samples {
 public:
  /// Takes up to three of the photographs (files) that can be read, evenly spread, scaled to a short side of at most
  /// 384 pixels; fewer if there are many styles, as each is repainted in each style.
  Samples(std::vector<SampleStyle> styles, const std::vector<std::string>& photographs);

  /// Repaints them into folder/step-000050-NAME.jpg; with several styles step-000050-NAME-STYLE.jpg.
  void paint(Index step, const std::filesystem::path& folder);

  /// The style pictures with the latest repaintings, and each photograph to wipe against its repainting.
  std::vector<ReportBlock> report_blocks() const;

 private:
  struct Sample {
    std::string name;
    Tensor photograph;
    ReportPicture before;
    std::vector<ReportPicture> after;  // by style
  };
  std::vector<SampleStyle> styles_;
  std::vector<ReportPicture> style_pictures_;
  std::vector<Sample> samples_;
};

/// What the reports of all trainings show: pictures, loss curves weighted as in the sum, settings and
/// machine.
Report training_report(const std::string& title, const std::string& summary, const std::vector<LogEntry>& log,
                       const Samples& samples, const LossWeights& weights,
                       const std::map<std::string, std::string>& settings);
/// The report of a training on chosen styles.
Report training_report(const TrainSettings& settings, const std::vector<LogEntry>& log,
                       const Samples& samples);

}  // namespace gesso
