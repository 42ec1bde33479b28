#include "assets.h"

namespace gesso {

std::string assets_folder() { return GESSO_ASSETS_DIR; }

std::string asset(const std::string& name) { return assets_folder() + "/" + name; }

}  // namespace gesso
