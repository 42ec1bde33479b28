// log.jsonl: what a training measured, one JSON object a line, e.g.
//     {"step": 10, "loss": 1.9, "content": 0.8, "style": 1.0, "tv": 0.1, "seconds": 2.3}
#pragma once

#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gesso/core/index.h"

namespace gesso {

/// One line of the log: numbers by name, in order.
using LogEntry = std::vector<std::pair<std::string, double>>;

/// The number called `name`, if the line has it.
std::optional<double> logged(const LogEntry& entry, const std::string& name);

/// Appends lines to a log. Each is flushed, so that another program can follow.
class LogWriter {
 public:
  /// Opens `path`, keeping the lines whose "step" is at most `last_step` (a resumed run repeats the steps
  /// after its checkpoint); with last_step below 0 it begins anew. Lines that are damaged are left out: a checkpoint
  /// that is whole can be gone on from whatever the log is. Throws FileError if it cannot be written.
  explicit LogWriter(const std::string& path, Index last_step = -1);

  /// One complaint for each line that was left out.
  const std::vector<std::string>& damaged() const { return damaged_; }

  /// Numbers that are not finite become null. Throws FileError when the disk is full.
  void write(const LogEntry& entry);

 private:
  std::string path_;
  std::vector<std::string> damaged_;
  std::ofstream file_;
};

/// All lines of a log. A last line that a kill cut short is left out; a missing file is an empty log. Throws
/// FileError, naming file and line, for any other line that is not a JSON object of numbers; with `damaged` the line
/// is left out instead, and the complaint added there.
std::vector<LogEntry> read_log(const std::string& path, std::vector<std::string>* damaged = nullptr);

}  // namespace gesso
