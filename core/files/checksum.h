// Checksums: whether the bytes of a file are those that were written.
#pragma once

#include <cstdint>
#include <string_view>

namespace gesso {

/// Whether this build has them: whether zlib was there.
bool has_checksums();

/// CRC-32 (ISO 3309, as in gzip and PNG) of the bytes that gave `before`, followed by `bytes`; `before` is 0 at
/// the beginning. Any burst of up to 32 wrong bits changes it, other errors all but one in 4 billion. 0 without
/// zlib.
std::uint32_t crc32(std::uint32_t before, std::string_view bytes);

}  // namespace gesso
