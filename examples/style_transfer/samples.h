// What people look at while a network trains: sample pictures and the report.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "gesso/training/log.h"
#include "gesso/training/report.h"
#include "training_run.h"

namespace gesso {

/// A few photographs that are repainted again and again during a training.
class Samples {
 public:
  /// Takes up to three of the run's photographs, evenly spread, scaled to a short side of at most 384 pixels;
  /// fewer if there are many styles, as each is repainted in each style.
  explicit Samples(const TrainingRun& run);

  /// Repaints them with the network as it is now, in eval mode, into folder/step-000050-NAME.jpg; with
  /// several styles step-000050-NAME-STYLE.jpg.
  void paint(StyleNetwork& network, std::int64_t step, const std::filesystem::path& folder);

  /// The style pictures with the latest repaintings, and each photograph to be wiped against its own.
  std::vector<ReportBlock> report_blocks() const;

 private:
  struct Sample {
    std::string name;
    Tensor photograph;
    ReportPicture before;
    std::vector<ReportPicture> after;  // by style
  };
  struct Style {
    std::string name;
    std::int64_t row;  // of the network
    ReportPicture picture;
  };
  std::vector<Style> styles_;
  std::vector<Sample> samples_;
};

/// The report of a run: its pictures, loss curves, settings and machine. `progress` while it is under way.
Report training_report(const TrainSettings& settings, const std::vector<LogEntry>& log,
                       const Samples& samples, std::optional<ReportProgress> progress);

}  // namespace gesso
