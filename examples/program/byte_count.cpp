#include "byte_count.h"

#include <cctype>
#include <cmath>
#include <string_view>
#include <system_error>

#include "gesso/core/number_text.h"
#include "usage_error.h"

namespace gesso {

double byte_count(const std::string& text, const std::string& option) {
  constexpr std::string_view units = "KMGT";
  std::string_view number = text;
  double unit = 1;
  if (!number.empty() && std::isalpha(static_cast<unsigned char>(number.back()))) {
    const auto power = units.find(static_cast<char>(std::toupper(static_cast<unsigned char>(number.back()))));
    unit = power == std::string_view::npos ? 0 : std::pow(1024.0, static_cast<double>(power + 1));
    number.remove_suffix(1);
  }
  double value = 0;
  const bool known = read_number(number, value) == std::errc();
  value *= unit;
  if (!known || !(value >= 1 && value < 1e18)) {
    throw UsageError(option + " is " + text + "; it must be an amount of memory, as in 800M or 1.5G");
  }
  return value;
}

}  // namespace gesso
