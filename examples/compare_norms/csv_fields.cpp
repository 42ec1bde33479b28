#include "csv_fields.h"

#include <cmath>
#include <cstdio>

namespace gesso::detail {

std::string csv_text(double value) {
  if (!std::isfinite(value)) {
    return "";
  }
  char text[32];
  std::snprintf(text, sizeof text, "%.7g", value);
  return text;
}

std::string csv_text(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) {
    return text;
  }
  std::string quoted = "\"";
  for (const char c : text) {
    quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  }
  return quoted + "\"";
}

std::string csv_line(const std::vector<std::string>& cells) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    line += (i == 0 ? "" : ",") + cells[i];
  }
  return line + "\n";
}

}  // namespace gesso::detail
