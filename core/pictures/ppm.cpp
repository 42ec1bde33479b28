#include "gesso/core/pictures/ppm.h"

#include <cctype>
#include <cstdint>
#include <cstring>

namespace gesso {

std::optional<PpmHeader> ppm_header(std::string_view bytes) {
  if (!bytes.starts_with("P6") && !bytes.starts_with("P5")) {
    return std::nullopt;
  }
  std::size_t at = 2;
  const auto is_blank = [&] {
    return at < bytes.size() && std::isspace(static_cast<unsigned char>(bytes[at]));
  };
  // Numbers after blanks and comments, which go to the end of their line.
  const auto number = [&]() -> Index {
    const std::size_t begin = at;
    while (is_blank() || (at < bytes.size() && bytes[at] == '#')) {
      if (bytes[at] == '#') {
        while (at < bytes.size() && bytes[at] != '\n' && bytes[at] != '\r') {
          ++at;
        }
      } else {
        ++at;
      }
    }
    Index value = 0;
    const std::size_t first = at;
    while (at < bytes.size() && bytes[at] >= '0' && bytes[at] <= '9' && at - first < 10) {
      value = 10 * value + (bytes[at++] - '0');
    }
    return first == begin || first == at ? -1 : value;
  };
  PpmHeader header;
  header.channels = bytes[1] == '6' ? 3 : 1;
  header.width = number();
  header.height = number();
  header.largest = number();
  if (header.width < 1 || header.height < 1 || header.largest < 1 || header.largest > 65535 || !is_blank()) {
    return std::nullopt;
  }
  header.pixels = at + 1;
  return header;
}

bool ppm_is_whole(const PpmHeader& header, std::uint64_t file_bytes) {
  return file_bytes >= header.pixels &&
         (file_bytes - header.pixels) / static_cast<std::uint64_t>(header.row_bytes()) >=
             static_cast<std::uint64_t>(header.height);
}

void read_ppm_samples(const PpmHeader& header, std::string_view bytes, Index count, void* samples) {
  if (header.largest == 255) {
    std::memcpy(samples, bytes.data(), static_cast<std::size_t>(count));
    return;
  }
  auto* const to = static_cast<std::uint16_t*>(samples);
  const auto* const from = reinterpret_cast<const unsigned char*>(bytes.data());
  const bool two = header.bytes_per_sample() == 2;
  const auto largest = static_cast<std::uint32_t>(header.largest);
  for (Index i = 0; i < count; ++i) {
    const std::uint32_t value = two ? from[2 * i] << 8 | from[2 * i + 1] : from[i];
    const std::uint32_t within = value < largest ? value : largest;
    to[i] = static_cast<std::uint16_t>((within * 65535U + largest / 2) / largest);
  }
}

}  // namespace gesso
