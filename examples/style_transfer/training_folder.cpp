#include "training_folder.h"

#include <chrono>

#include "gesso/training/report/progress.h"
#include "program/interrupt.h"
#include "program/usage_error.h"

namespace gesso {

Checkpoint RunFolder::checkpoint_to_resume(const std::string& command) const {
  if (!has_checkpoint(checkpoint())) {
    throw UsageError(concat_text("--resume ", root.string(), ": there is no checkpoint in it"));
  }
  Checkpoint saved = load_checkpoint(checkpoint());
  const auto by = saved.metadata.find("command");
  const std::string writer = by == saved.metadata.end() ? "train" : by->second;
  if (writer != command) {
    throw UsageError(concat_text("--resume ", root.string(), ": it is a run of ", writer,
                                 "; go on with it by style-transfer ", writer, " --resume"));
  }
  return saved;
}

bool train_in_folder(StyleTraining& training, const RunFolder& folder, Samples& samples, Index sample_every,
                     const std::function<Report(const std::vector<LogEntry>&)>& report) {
  stop_gently_on_interrupt();
  LogWriter log(folder.log(), training.steps_done() > 0 ? training.steps_done() : -1);
  std::vector<LogEntry> entries = read_log(folder.log());
  const double seconds_before = entries.empty() ? 0 : entries.back().back().second;
  ProgressBar progress("Training", training.steps(), training.steps_done());
  const auto begin = std::chrono::steady_clock::now();

  const auto save = [&] {
    samples.paint(training.steps_done(), folder.samples());
    training.save(folder.checkpoint());
    Report page = report(entries);
    if (training.steps_done() < training.steps()) {
      page.progress =
          ReportProgress{static_cast<double>(training.steps_done()) / static_cast<double>(training.steps()),
                         concat_text("step ", training.steps_done(), " of ", training.steps())};
    }
    page.write(folder.report());
  };

  while (training.steps_done() < training.steps() && !stop_requested()) {
    const double learning_rate = training.learning_rate();
    const Losses losses = training.step();
    for (const std::string& warning : training.take_warnings()) {
      progress.message("style-transfer: " + warning);
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    entries.push_back(log_entry(training.steps_done(), losses, learning_rate, seconds_before + seconds));
    log.write(entries.back());
    char status[32];
    std::snprintf(status, sizeof status, "loss %.3f", losses.total.item());
    progress.update(training.steps_done(), status);
    if (training.steps_done() % sample_every == 0 && training.steps_done() < training.steps()) {
      save();
    }
  }
  save();
  return training.steps_done() >= training.steps();
}

}  // namespace gesso
