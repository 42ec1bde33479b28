// Where the pictures, models and weights are that come with gesso: examples/assets, or where they are installed.
#pragma once

#include <string>

namespace gesso {

/// The folder: share/gesso of the folder that the program is installed in, else the source tree's. An installed
/// program finds it wherever its tree has been moved.
std::string assets_folder();

/// A file or folder in it: asset("photos/cat.jpg").
std::string asset(const std::string& name);

}  // namespace gesso
