#include "program.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <string>

#include "gesso/core/build_info.h"
#include "gesso/core/error.h"
#include "gesso/core/parallel.h"
#include "usage_error.h"

namespace gesso {

void add_version_option(CLI::App& app) {
  app.set_version_flag("--version", [] { return build_info().str(); });
}

void add_threads_option(CLI::App& app) {
  app.add_option("--threads", "Threads to use; default: all cores, or GESSO_NUM_THREADS")
      ->check(CLI::Range(1, 1024))
      ->each([](const std::string& text) { set_num_threads(std::stoi(text)); });
}

int exit_code_of(const CLI::App& app, const std::function<bool()>& work) {
  const auto complain = [&](const std::string& text, int code) {
    std::cerr << app.get_name() << ": " << text << (code == 2 ? " (see --help)" : "") << "\n";
    return code;
  };
  try {
    return work() ? 0 : 130;
  } catch (const CLI::ParseError& error) {
    const bool asked = error.get_exit_code() == 0;  // --help and --version
    return asked ? app.exit(error) : complain(error.what(), 2);
  } catch (const UsageError& error) {
    return complain(error.what(), 2);
  } catch (const std::filesystem::filesystem_error& error) {
    return complain(error.path1().string() + ": " + error.code().message(), 1);
  } catch (const std::exception& error) {
    return complain(error.what(), 1);
  }
}

}  // namespace gesso
