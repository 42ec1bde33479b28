#include "assets.h"

#if defined(__APPLE__)
#include <mach-o/dyld.h>
#elif defined(__linux__)
#include <sys/auxv.h>
#endif

#include <filesystem>
#include <system_error>

namespace gesso {
namespace {

namespace fs = std::filesystem;

// The file of this program; empty where the system does not tell.
fs::path program_file() {
#if defined(__APPLE__)
  char file[4096];
  std::uint32_t size = sizeof file;
  return _NSGetExecutablePath(file, &size) == 0 ? fs::path(file) : fs::path();
#elif defined(__linux__)
  return reinterpret_cast<const char*>(::getauxval(AT_EXECFN));  // /proc/self/exe is not in every chroot
#else
  return {};
#endif
}

// Beside the program, where cmake --install puts both; else in the source tree that it was built from.
std::string find_assets() {
  std::error_code error;
  const fs::path program = fs::canonical(program_file(), error);  // through links to the program
  const fs::path installed = (program.parent_path() / GESSO_INSTALLED_ASSETS).lexically_normal();
  return !error && fs::is_directory(installed / "models", error) ? installed.string() : GESSO_ASSETS_DIR;
}

}  // namespace

std::string assets_folder() {
  static const std::string folder = find_assets();
  return folder;
}

std::string asset(const std::string& name) { return assets_folder() + "/" + name; }

}  // namespace gesso
