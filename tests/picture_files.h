// Picture files made byte by byte, of kinds that gesso reads but does not write.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gesso::testing {

inline void append_big_endian(std::string& out, std::uint32_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) {
    out += static_cast<char>(value >> (8 * i));
  }
}

inline void append_little_endian(std::string& out, std::uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) {
    out += static_cast<char>(value >> (8 * i));
  }
}

/// length, type, body, CRC-32 of type and body
inline std::string png_chunk(const std::string& type, std::string_view body) {
  const std::string covered = type + std::string(body);
  std::uint32_t crc = 0xFFFFFFFFu;
  for (const char byte : covered) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) {
      crc = crc & 1 ? crc >> 1 ^ 0xEDB88320u : crc >> 1;
    }
  }
  std::string chunk;
  append_big_endian(chunk, static_cast<std::uint32_t>(body.size()), 4);
  chunk += covered;
  append_big_endian(chunk, ~crc, 4);
  return chunk;
}

/// A zlib stream that stores `bytes` (fewer than 65536) as they are.
inline std::string zlib_stored(std::string_view bytes) {
  std::string out = "\x78\x01\x01";
  append_little_endian(out, static_cast<std::uint32_t>(bytes.size()), 2);
  append_little_endian(out, ~static_cast<std::uint32_t>(bytes.size()), 2);
  out += bytes;
  std::uint32_t a = 1, b = 0;
  for (const char byte : bytes) {
    a = (a + static_cast<unsigned char>(byte)) % 65521;
    b = (b + a) % 65521;
  }
  append_big_endian(out, b << 16 | a, 4);
  return out;
}

/// PNG's colour types.
enum PngColor { kPngGray = 0, kPngRgb = 2, kPngPalette = 3, kPngGrayAlpha = 4, kPngRgba = 6 };

/// A PNG file. `rows` are the packed samples of each row; `extra` goes between header and data (PLTE, tRNS).
inline std::string make_png(std::uint32_t width, std::uint32_t height, int depth, PngColor color,
                            const std::vector<std::string>& rows, const std::string& extra = "") {
  std::string header;
  append_big_endian(header, width, 4);
  append_big_endian(header, height, 4);
  header += {static_cast<char>(depth), static_cast<char>(color), 0, 0, 0};
  std::string data;
  for (const std::string& row : rows) {
    data += '\0';  // filter: none
    data += row;
  }
  return "\x89PNG\r\n\x1A\n" + png_chunk("IHDR", header) + extra + png_chunk("IDAT", zlib_stored(data)) +
         png_chunk("IEND", "");
}

/// A 24-bit BMP file; `pixels` are 0xRRGGBB from the top row to the bottom one.
inline std::string make_bmp(std::uint32_t width, std::uint32_t height,
                            const std::vector<std::uint32_t>& pixels) {
  const std::uint32_t row = (width * 3 + 3) / 4 * 4;
  std::string file = "BM";
  append_little_endian(file, 54 + row * height, 4);
  append_little_endian(file, 0, 4);
  append_little_endian(file, 54, 4);  // offset of the pixels
  append_little_endian(file, 40, 4);  // size of this header
  append_little_endian(file, width, 4);
  append_little_endian(file, height, 4);
  append_little_endian(file, 1, 2);
  append_little_endian(file, 24, 2);
  file.append(24, '\0');
  for (std::uint32_t y = height; y-- > 0;) {
    const std::size_t start = file.size();
    for (std::uint32_t x = 0; x < width; ++x) {
      append_little_endian(file, pixels[y * width + x], 3);  // blue, green, red
    }
    file.resize(start + row, '\0');
  }
  return file;
}

/// An EXIF APP1 segment that says `orientation` and has another tag before it.
inline std::string exif_segment(int orientation, bool little_endian) {
  const auto append = little_endian ? append_little_endian : append_big_endian;
  std::string tiff = little_endian ? "II" : "MM";
  append(tiff, 42, 2);
  append(tiff, 8, 4);       // the directory follows at once
  append(tiff, 2, 2);       // entries
  append(tiff, 0x010F, 2);  // Make: text of 2 bytes
  append(tiff, 2, 2);
  append(tiff, 2, 4);
  tiff += {'g', '\0', '\0', '\0'};
  append(tiff, 0x0112, 2);  // Orientation: one short
  append(tiff, 3, 2);
  append(tiff, 1, 4);
  append(tiff, static_cast<std::uint32_t>(orientation), 2);
  append(tiff, 0, 2);
  append(tiff, 0, 4);  // no other directory
  const std::string body = std::string("Exif\0\0", 6) + tiff;
  std::string segment = "\xFF\xE1";
  append_big_endian(segment, static_cast<std::uint32_t>(body.size() + 2), 2);
  return segment + body;
}

/// A JPEG file with `segment` put in right after its start marker.
inline std::string with_segment(const std::string& jpeg, const std::string& segment) {
  return jpeg.substr(0, 2) + segment + jpeg.substr(2);
}

}  // namespace gesso::testing
