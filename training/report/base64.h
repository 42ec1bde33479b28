// Base64 (RFC 4648, section 4): bytes as text, for pictures inside HTML.
#pragma once

#include <string>
#include <string_view>

namespace gesso {

/// `bytes` in the letters A-Z a-z 0-9 + /, padded with = to a multiple of four.
std::string base64(std::string_view bytes);

}  // namespace gesso
