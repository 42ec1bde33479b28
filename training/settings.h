// Settings as text: the metadata of checkpoints and model files, and what reports show.
#pragma once

#include <charconv>
#include <map>
#include <string>
#include <type_traits>
#include <vector>

#include "gesso/core/error.h"

namespace gesso {

/// A setting as text that parse_setting() reads back equal: a number in as few digits as that takes, "true"
/// or "false", a text as it is, a list as a JSON array (file names may hold any character).
std::string setting_text(const std::string& value);
std::string setting_text(const std::vector<std::string>& value);
template <class Number>
requires std::is_arithmetic_v<Number> std::string setting_text(Number value) {
  if constexpr (std::is_same_v<Number, bool>) {
    return value ? "true" : "false";
  } else {
    char text[32];
    return {text, std::to_chars(text, text + sizeof text, value).ptr};
  }
}

/// The opposite. Throws ArgumentError, with the setting's name, for a text that is no such value.
void parse_setting(const std::string& name, const std::string& text, std::string& value);
void parse_setting(const std::string& name, const std::string& text, std::vector<std::string>& value);
void parse_setting(const std::string& name, const std::string& text, bool& value);
template <class Number>
void parse_setting(const std::string& name, const std::string& text, Number& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  require(error == std::errc() && end == text.data() + text.size(), "setting ", name, ": '", text,
          "' is not a number in range");
}

/// All settings as text. `for_each_setting` calls what it is given with the name and the value of each.
template <class ForEach>
std::map<std::string, std::string> settings_to_metadata(ForEach for_each_setting) {
  std::map<std::string, std::string> metadata;
  for_each_setting([&](const char* name, const auto& value) { metadata[name] = setting_text(value); });
  return metadata;
}

/// The opposite. Settings that `metadata` does not name keep their values: files of an earlier version do not
/// know all. Throws ArgumentError, naming the setting, for one that is unreadable.
template <class ForEach>
void settings_from_metadata(const std::map<std::string, std::string>& metadata, ForEach for_each_setting) {
  for_each_setting([&](const char* name, auto& value) {
    if (const auto found = metadata.find(name); found != metadata.end()) {
      parse_setting(name, found->second, value);
    }
  });
}

}  // namespace gesso
