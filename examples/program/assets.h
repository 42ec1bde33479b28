// Where the pictures, models and weights are that come with gesso: examples/assets.
#pragma once

#include <string>

namespace gesso {

/// The folder.
std::string assets_folder();

/// A file or folder in it: asset("photos/cat.jpg").
std::string asset(const std::string& name);

}  // namespace gesso
