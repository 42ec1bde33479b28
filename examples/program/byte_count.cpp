#include "byte_count.h"

#include <cctype>
#include <charconv>
#include <cmath>
#include <string_view>

#include "usage_error.h"

namespace gesso {

double byte_count(const std::string& text, const std::string& option) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  std::string_view unit(rest, static_cast<std::size_t>(end - rest));
  constexpr std::string_view units = "KMGT";
  bool known = error == std::errc() && unit.size() <= 1;
  if (known && unit.size() == 1) {
    const auto power = units.find(static_cast<char>(std::toupper(static_cast<unsigned char>(unit[0]))));
    known = power != std::string_view::npos;
    value *= std::pow(1024.0, static_cast<double>(power + 1));
  }
  if (!known || !(value >= 1 && value < 1e18)) {
    throw UsageError(option + " is " + text + "; it must be an amount of memory, as in 800M or 1.5G");
  }
  return value;
}

}  // namespace gesso
