#include "gesso/core/files/checksum.h"

#include <algorithm>

#ifdef GESSO_HAS_ZLIB
#include <zlib.h>
#endif

namespace gesso {

#ifdef GESSO_HAS_ZLIB

bool has_checksums() { return true; }

std::uint32_t crc32(std::uint32_t before, std::string_view bytes) {
  constexpr std::size_t at_once = std::size_t{1} << 30;  // zlib counts in 32 bits
  uLong value = before;
  while (!bytes.empty()) {
    const std::size_t count = std::min(bytes.size(), at_once);
    value = ::crc32(value, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(count));
    bytes.remove_prefix(count);
  }
  return static_cast<std::uint32_t>(value);
}

#else

bool has_checksums() { return false; }
std::uint32_t crc32(std::uint32_t, std::string_view) { return 0; }

#endif

}  // namespace gesso
