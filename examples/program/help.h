// What --help prints, which the manual pages are made from, too.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace gesso {

/// A column of options with what they take, and beside it what they are for, what they allow and their default, in lines
/// that fit a terminal of 80 letters.
class Help : public CLI::FormatterBase {
 public:
  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override;
};

/// An option's group that is not in --help. (CLI11's own for that, "", takes the name from an option's errors.)
inline constexpr const char* kHidden = "hidden";

/// The options "--name" that may follow `app`'s name: its own, then those of the program that it is a command of.
std::vector<const CLI::Option*> options_of(const CLI::App& app);

/// The option's longest name: "--help" of "-h,--help"; of a positional argument "results".
std::string name_of(const CLI::Option& option);

/// What stands for the option's value in --help: "N", "FILE ..."; empty for a flag.
std::string value_of(const CLI::Option& option);

}  // namespace gesso
