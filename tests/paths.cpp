#include "paths.h"

namespace gesso::testing {

std::string source_path(const std::string& path) { return GESSO_SOURCE_DIR "/" + path; }

std::string program_path(const std::string& name) { return GESSO_BIN_DIR "/" + name; }

}  // namespace gesso::testing
