// Amounts of memory as people write them.
#pragma once

#include <string>

namespace gesso {

/// The bytes that "1G", "1.5G", "800M", "64000K" or "1000000000" mean; K, M, G and T are powers of 1024, in any case. Throws
/// UsageError, naming `option`, for anything else, and for less than one byte.
double byte_count(const std::string& text, const std::string& option);

}  // namespace gesso
