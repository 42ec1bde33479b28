#include "assets.h"

#include <filesystem>
#include <system_error>

namespace gesso {
namespace {

namespace fs = std::filesystem;

// Beside the program, where cmake --install puts both; else in the source tree that it was built from.
std::string find_assets() {
  std::error_code unknown;
  const fs::path program =
      fs::read_symlink("/proc/self/exe", unknown);  // empty where the system has no such thing
  const fs::path installed = (program.parent_path() / GESSO_INSTALLED_ASSETS).lexically_normal();
  return !program.empty() && fs::is_directory(installed / "models", unknown) ? installed.string()
                                                                             : GESSO_ASSETS_DIR;
}

}  // namespace

std::string assets_folder() {
  static const std::string folder = find_assets();
  return folder;
}

std::string asset(const std::string& name) { return assets_folder() + "/" + name; }

}  // namespace gesso
