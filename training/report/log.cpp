#include "gesso/training/report/log.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "gesso/core/error.h"
#include "gesso/core/files/file.h"
#include "gesso/core/files/json.h"
#include "gesso/training/report/lines.h"

namespace gesso {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

std::string line_of(const LogEntry& entry) {
  Json line = Json::object();
  for (const auto& [name, value] : entry) {
    line[name] = value;
    if (value == std::floor(value) && std::abs(value) < 1e15) {
      line[name] = static_cast<Index>(value);  // 10, not 10.0
    }
  }
  return json_text(line) + "\n";
}

}  // namespace

std::optional<double> logged(const LogEntry& entry, const std::string& name) {
  const auto found =
      std::find_if(entry.begin(), entry.end(), [&](const auto& each) { return each.first == name; });
  return found == entry.end() ? std::nullopt : std::optional(found->second);
}

LogWriter::LogWriter(const std::string& path, Index last_step) : path_(path) {
  std::string kept;
  if (last_step >= 0) {
    for (const LogEntry& entry : read_log(path, &damaged_)) {
      if (logged(entry, "step").value_or(kNan) <= static_cast<double>(last_step)) {
        kept += line_of(entry);
      }
    }
  }
  write_file_atomically(path, kept);
  file_.open(path, std::ios::app);
  if (!file_) {
    throw FileError(concat_text(path, ": the log cannot be written"));
  }
}

void LogWriter::write(const LogEntry& entry) {
  file_ << line_of(entry) << std::flush;
  if (!file_) {
    throw FileError(concat_text(path_, ": the log cannot be written; is the disk full?"));
  }
}

std::vector<LogEntry> read_log(const std::string& path, std::vector<std::string>* damaged) {
  std::vector<LogEntry> entries;
  for_each_line(path, [&](std::string_view text, int number) {
    LogEntry entry;
    try {
      const Json line = parse_json(text);
      for (const auto& [name, value] : line.get_ref<const Json::object_t&>()) {
        entry.emplace_back(name, value.is_null() ? kNan : value.get<double>());
      }
    } catch (const Json::exception&) {
      const std::string complaint = concat_text(path, ": line ", number, " is not a JSON object of numbers");
      if (damaged == nullptr) {
        throw FileError(complaint);
      }
      damaged->push_back(complaint);
      return;
    }
    entries.push_back(std::move(entry));
  });
  return entries;
}

}  // namespace gesso
