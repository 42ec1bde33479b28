// Texts from outside: logs, settings in metadata, names on their way to a terminal and into JSON.
#include <map>

#include "gesso/core/error.h"
#include "gesso/core/text.h"
#include "gesso/training/report/log.h"
#include "input_file.h"
#include "painting/settings.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const gesso::fuzz::InputFile file("log.jsonl");
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (gesso::from_utf8(gesso::to_utf8(text)) != text || !gesso::is_utf8(gesso::to_utf8(text)) ||
      !gesso::is_utf8(gesso::printable(text)) || gesso::printable(text).find('\x1b') != std::string::npos) {
    __builtin_trap();
  }
  file.write(data, size);
  try {
    gesso::read_log(file.path());
  } catch (const gesso::FileError&) {
  }
  std::vector<std::string> damaged;
  gesso::read_log(file.path(), &damaged);
  gesso::LogWriter(file.path(), 5).write({{"step", 6}});
  // Lines of name=value are settings.
  std::map<std::string, std::string> metadata;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = text.substr(begin, end - begin);
    const std::size_t equals = line.find('=');
    if (equals != std::string::npos) {
      metadata[line.substr(0, equals)] = line.substr(equals + 1);
    }
    begin = end + 1;
  }
  try {
    gesso::TrainSettings::from_metadata(metadata).to_metadata();
  } catch (const gesso::ArgumentError&) {
  }
  return 0;
}
