#include "gesso/training/settings.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <type_traits>

#include "gesso/core/error.h"
#include "gesso/core/files/json.h"
#include "gesso/core/number_text.h"
#include "gesso/core/text.h"

namespace gesso {
namespace {

std::string to_text(const std::string& value) { return to_utf8(value); }

std::string to_text(const std::vector<std::string>& value) {
  std::vector<std::string> texts;
  std::transform(value.begin(), value.end(), std::back_inserter(texts), to_utf8);
  return json_text(texts);
}

std::string to_text(bool value) { return value ? "true" : "false"; }

template <class Number>
requires std::is_arithmetic_v<Number> std::string to_text(Number value) { return number_text(value); }

// 1000000, not 1e+06.
std::string bound_text(double bound) {
  return bound == std::floor(bound) && std::abs(bound) < 1e15 ? to_text(static_cast<Index>(bound))
                                                              : to_text(bound);
}

void parse(const std::string&, const std::string& text, std::string& value) { value = from_utf8(text); }

void parse(const std::string& name, const std::string& text, std::vector<std::string>& value) {
  try {
    value = parse_json(text).get<std::vector<std::string>>();
    std::transform(value.begin(), value.end(), value.begin(), from_utf8);
  } catch (const Json::exception&) {
    throw ArgumentError(concat_text("setting ", name, ": '", text, "' is not a list of names"));
  }
}

void parse(const std::string& name, const std::string& text, bool& value) {
  require(text == "true" || text == "false", "setting ", name, ": '", text, "' is not true or false");
  value = text == "true";
}

template <class Number>
void parse(const std::string& name, const std::string& text, Number& value) {
  require(read_number(text, value) == std::errc(), "setting ", name, ": '", text,
          "' is not a number in range");
}

std::string option_of(const Setting& setting) {
  std::string option = setting.option.empty() ? setting.name : setting.option;
  std::replace(option.begin(), option.end(), '_', '-');
  return option;
}

// As a shell reads it.
std::string to_words(const std::string& text) {
  constexpr const char* plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+./:,";
  if (!text.empty() && text.find_first_not_of(plain) == std::string::npos) {
    return text;
  }
  std::string quoted;
  for (const char c : text) {
    quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return concat_text("'", quoted, "'");
}

std::string to_words(const std::vector<std::string>& texts) {
  std::string words;
  for (const std::string& text : texts) {
    words += concat_text(words.empty() ? "" : " ", to_words(text));
  }
  return words;
}

template <class Number>
requires std::is_arithmetic_v<Number> std::string to_words(Number value) { return to_text(value); }

std::string text_of(const Setting& setting) {
  return std::visit([](const auto* value) { return to_text(*value); }, setting.field);
}

bool in_range(const Setting& setting) {
  return std::visit(
      [&](const auto* value) {
        if constexpr (std::is_convertible_v<decltype(*value), double>) {
          const auto number = static_cast<double>(*value);
          return number >= setting.low && number <= setting.high;  // false for NaN
        } else {
          return true;
        }
      },
      setting.field);
}

}  // namespace

SettingList SettingList::operator+(const SettingList& more) const {
  SettingList all = *this;
  all.settings_.insert(all.settings_.end(), more.settings_.begin(), more.settings_.end());
  return all;
}

void SettingList::check() const {
  for (const Setting& setting : settings_) {
    require(in_range(setting), option_of(setting), " is ", text_of(setting), "; it must be from ",
            bound_text(setting.low), " to ", bound_text(setting.high));
  }
}

std::map<std::string, std::string> SettingList::to_metadata() const {
  std::map<std::string, std::string> metadata;
  for (const Setting& setting : settings_) {
    metadata[setting.name] = text_of(setting);
  }
  return metadata;
}

void SettingList::from_metadata(const std::map<std::string, std::string>& metadata) const {
  for (const Setting& setting : settings_) {
    if (const auto found = metadata.find(setting.name); found != metadata.end()) {
      std::visit([&](auto* value) { parse(setting.name, found->second, *value); }, setting.field);
    }
  }
}

std::string SettingList::options() const {
  std::string options;
  for (const Setting& setting : settings_) {
    const auto words = [](const auto* value) { return to_words(*value); };
    options += concat_text(" --", option_of(setting), " ", std::visit(words, setting.field));
  }
  return options;
}

}  // namespace gesso
