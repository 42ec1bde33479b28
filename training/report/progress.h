// Progress on standard error: a bar with speed and time left on a terminal, a plain line now and then
// elsewhere.
#pragma once

#include <chrono>
#include <string>

#include "gesso/core/index.h"

namespace gesso {

/// The progress of `total` steps.
///
///     ProgressBar progress("Training", 300);
///     for (int step = 1; step <= 300; ++step) {
///       train_one_step();
///       progress.update(step, "loss 1.25");
///     }
///     progress.finish();
class ProgressBar {
 public:
  enum class Style { automatic, bar, lines };  ///< automatic: a bar if standard error is a terminal

  /// A total of 0 means that it is not known: then there is a count and a speed, but no bar and no time left.
  /// `done` steps were done by an earlier run: they count for the bar, not for the speed.
  ProgressBar(std::string title, Index total, Index done = 0, Style style = Style::automatic);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// `done` of the total steps are done; `status` is shown beside the bar. Writes at most ten times a second
  /// (a bar) or every ten seconds and at the end (lines), so it can be called after every step.
  void update(Index done, const std::string& status = "");
  /// The same for steps that took no work (a file that is not there): they count for the bar, not for the speed.
  void skip(Index done, const std::string& status = "");
  /// Writes a line of its own above the bar. Control characters in it (of names of files) are shown, not sent.
  void message(const std::string& text);
  /// Ends the bar's line. Called by the destructor too.
  void finish();

  /// "2 m 05 s", "48 s", "1 h 03 m".
  static std::string duration(double seconds);

 private:
  using Clock = std::chrono::steady_clock;
  void show();

  std::string title_, status_;
  Index total_, begun_at_, done_;
  bool bar_;
  bool open_ = false;  // the bar's line is on the screen
  Clock::time_point begin_ = Clock::now();
  Clock::time_point shown_{};
};

}  // namespace gesso
