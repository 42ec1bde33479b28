// Programs, run as their users run them.
#pragma once

#include <sys/wait.h>

#include <cstdlib>
#include <string>

#include "files.h"
#include "gesso/core/files/file.h"
#include "paths.h"

namespace gesso::testing {

/// What became of a program.
struct Outcome {
  int status;  ///< its exit code; 128 if a signal ended it
  std::string out, errors;
};

/// Runs a command of the shell, for a minute at most.
inline Outcome run_command(const std::string& command) {
  const TemporaryFolder folder;
  const int status = std::system(("timeout 60 sh -c '" + command + "' >" + (folder / "out") + " 2>" +
                                  (folder / "errors") + " </dev/null")
                                     .c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128, read_file(folder / "out"),
          read_file(folder / "errors")};
}

/// Runs a program of gesso with arguments for a shell; they may be in "double quotes".
inline Outcome run_program(const std::string& program, const std::string& arguments) {
  return run_command(program_path(program) + " " + arguments);
}

}  // namespace gesso::testing
