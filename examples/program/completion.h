// Completion of a program's command line in a shell.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace gesso {

/// "bash", "zsh", "fish".
const std::vector<std::string>& completion_shells();

/// What the shell is to read: its commands, options with what they are for, and the words that an option takes where
/// those are listed; files elsewhere. Throws ArgumentError for another shell.
std::string completion_script(const CLI::App& program, const std::string& shell);

}  // namespace gesso
