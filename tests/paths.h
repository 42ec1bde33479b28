// Where the tests find files of the source tree, and the programs that were built.
#pragma once

#include <string>

namespace gesso::testing {

/// source_path("tests/golden/vgg.safetensors")
std::string source_path(const std::string& path);

/// program_path("style-transfer")
std::string program_path(const std::string& name);

}  // namespace gesso::testing
