#include "gesso/training/report/base64.h"

#include <cstdint>

namespace gesso {

std::string base64(std::string_view bytes) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    // Three bytes are 24 bits are four letters; where bytes are missing, = stands for letters without bits.
    const auto byte = [&](std::size_t k) {
      return i + k < bytes.size() ? static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i + k])) : 0;
    };
    const std::uint32_t bits = byte(0) << 16 | byte(1) << 8 | byte(2);
    text += letters[bits >> 18];
    text += letters[bits >> 12 & 63];
    text += i + 1 < bytes.size() ? letters[bits >> 6 & 63] : '=';
    text += i + 2 < bytes.size() ? letters[bits & 63] : '=';
  }
  return text;
}

}  // namespace gesso
