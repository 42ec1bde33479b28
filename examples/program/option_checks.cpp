#include "option_checks.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "did_you_mean.h"
#include "gesso/core/error.h"
#include "gesso/core/number_text.h"

namespace gesso {
namespace {

// CLI11 keeps a check's name and a description, which is all that can be asked of it later.
constexpr const char* kAllowed = "allowed";
constexpr const char* kWords = "words";

std::string in_quotes(const std::string& text) { return '"' + text + '"'; }

// What is wrong with `text` as a value of any kind.
std::string not_a_value(const std::string& text) {
  if (text.empty()) {
    return "the value is empty";
  }
  if (text.starts_with("--")) {
    return "its value is missing before " + text;
  }
  return "";
}

template <class T>
constexpr const char* kKind = std::is_floating_point_v<T> ? "a number"
                              : std::is_unsigned_v<T>     ? "a whole number of 0 or more"
                                                          : "a whole number";

// A check of numbers, which are read already: "above 0", say. `in` stands before that in the complaint.
CLI::Validator numbers(const std::string& allowed, const std::function<bool(double)>& takes,
                       const std::string& in = "") {
  return CLI::Validator(
      [=](const std::string& text) {
        return takes(std::strtod(text.c_str(), nullptr)) ? "" : in_quotes(text) + " is not " + in + allowed;
      },
      allowed, kAllowed);
}

std::string description(const CLI::Option& option, const char* check) {
  try {
    return const_cast<CLI::Option&>(option).get_validator(check)->get_description();
  } catch (const CLI::OptionNotFound&) {
    return "";
  }
}

}  // namespace

CLI::Validator is_text() { return CLI::Validator(not_a_value, ""); }

template <class T>
CLI::Validator is_number() {
  return CLI::Validator(
      [](std::string& text) {
        if (const std::string problem = not_a_value(text); !problem.empty()) {
          return problem;
        }
        T value{};
        const std::errc error =
            read_number(std::string_view(text).substr(text.starts_with('+') ? 1 : 0), value);
        if (error == std::errc::result_out_of_range) {
          return in_quotes(text) + " is too large";
        }
        if (error != std::errc() || !std::isfinite(static_cast<double>(value))) {
          return in_quotes(text) + " is not " + kKind<T>;
        }
        if constexpr (std::is_integral_v<T>) {
          text = std::to_string(value);
        }
        return std::string();
      },
      "");
}
template CLI::Validator is_number<int>();
template CLI::Validator is_number<Index>();
template CLI::Validator is_number<std::uint64_t>();
template CLI::Validator is_number<double>();

CLI::Validator in_range(double least, double most) {
  return numbers(
      concat_text(least, " to ", most), [=](double value) { return value >= least && value <= most; }, "in ");
}

CLI::Validator is_positive() {
  return numbers("above 0", [](double value) { return value > 0; });
}

CLI::Validator is_not_negative() {
  return numbers("0 or more", [](double value) { return value >= 0; });
}

CLI::Validator is_one_of(const std::vector<std::string>& words) {
  std::string list;
  for (const std::string& word : words) {
    list += (list.empty() ? "" : " ") + word;
  }
  return CLI::Validator(
      [words](const std::string& text) {
        return std::find(words.begin(), words.end(), text) != words.end()
                   ? ""
                   : in_quotes(text) + " is not " + in_words(words) + did_you_mean(text, words);
      },
      list, kWords);
}

std::vector<std::string> words_of(const CLI::Option& option) {
  std::istringstream list(description(option, kWords));
  return {std::istream_iterator<std::string>(list), {}};
}

std::string allowed_by(const CLI::Option& option) {
  const std::vector<std::string> words = words_of(option);
  return words.empty() ? description(option, kAllowed) : in_words(words);
}

std::string in_words(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    text += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i];
  }
  return text;
}

}  // namespace gesso
