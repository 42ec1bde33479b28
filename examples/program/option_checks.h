// What values an option takes: each check says in plain words why it refuses one, and --help says what it allows.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "gesso/core/index.h"

namespace gesso {

/// Any text, but not none, and not "--name": that is the next option, and the value is missing.
CLI::Validator is_text();

/// A number that fits into T: int, Index, std::uint64_t or double. Refuses NaN and infinities. A transform() of CLI11: it
/// writes 010 as 10, which CLI11 would read as 8.
template <class T>
CLI::Validator is_number();

// Each of these is the only one of an option, and comes after is_number() or is_text().
CLI::Validator in_range(double least, double most);
CLI::Validator is_positive();
CLI::Validator is_not_negative();
CLI::Validator is_one_of(const std::vector<std::string>& words);

/// The words of is_one_of(), if `option` has such a check.
std::vector<std::string> words_of(const CLI::Option& option);

/// What the option's check allows: "8 to 512", "above 0", "batch or instance"; empty for everything.
std::string allowed_by(const CLI::Option& option);

/// "batch, instance or layer".
std::string in_words(const std::vector<std::string>& words);

}  // namespace gesso
