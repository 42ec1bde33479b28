// Numbers as texts that give the same number when they are read, whatever the user's language.
#pragma once

#include <charconv>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>

namespace gesso {

namespace detail {
template <class Number>
std::errc read_whole(std::string_view text, Number& value) {
  Number read{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), read);
  if (end != text.data() + text.size()) {
    return std::errc::invalid_argument;
  }
  value = error == std::errc() ? read : value;
  return error;
}
}  // namespace detail

/// The shortest text that reads as `value`: "0.1", "1e-05", "nan".
std::string number_text(double value);

/// Reads all of `text` as `value`. std::errc() if that went well, result_out_of_range for a number that the
/// type does not hold, invalid_argument for what is no number; then `value` stays.
std::errc read_number(std::string_view text, double& value);

template <class Whole>
requires std::is_integral_v<Whole> std::string number_text(Whole value) {
  char text[24];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

template <class Whole>
requires std::is_integral_v<Whole> std::errc read_number(std::string_view text, Whole& value) {
  return detail::read_whole(text, value);
}

}  // namespace gesso
