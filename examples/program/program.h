// What all programs have in common: their common options and how they end.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace gesso {

/// Adds --version.
void add_version_option(CLI::App& app);

/// Adds --threads, which sets the number of threads as soon as it is read.
void add_threads_option(CLI::App& app);

/// Does `work`, which parses the command line first, and returns the exit code of the program: 0 when work
/// returns true, 130 when it returns false (it was interrupted), 2 after a CLI::ParseError or UsageError, 1
/// after any other exception; each of them with one line on standard error, named after `app`. What --help
/// and --version ask for is printed.
int exit_code_of(const CLI::App& app, const std::function<bool()>& work);

}  // namespace gesso
