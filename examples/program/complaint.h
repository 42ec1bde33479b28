// What to say of a command line that cannot be followed.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace gesso {

/// One sentence for what `error` found in the command line that `program` has read: which word, what is wrong with it,
/// and what to write instead. A mistyped name comes first: what is missing may be missing because of it.
std::string complaint_of(const CLI::App& program, const CLI::ParseError& error);

/// Whether --help is on the command line, which may be wrong otherwise.
bool asks_for_help(const CLI::App& program);

}  // namespace gesso
