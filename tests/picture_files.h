// Picture files made byte by byte, of kinds that gesso reads but does not write.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "gesso/core/tensor.h"

namespace gesso::testing {

/// Slow changes, which JPEG keeps well. No symmetry: each orientation looks different.
inline Tensor smooth_picture(Index height, Index width, Index channels = 3) {
  Tensor x = Tensor::empty({1, channels, height, width});
  for (Index c = 0; c < channels; ++c) {
    for (Index i = 0; i < height; ++i) {
      for (Index j = 0; j < width; ++j) {
        const double u = static_cast<double>(i) / static_cast<double>(height);
        const double v = static_cast<double>(j) / static_cast<double>(width);
        x.set({0, c, i, j}, 0.1 + 0.5 * v + 0.3 * u * (c == 0) + 0.1 * u * v);
      }
    }
  }
  return x;
}

/// Whether all values of a picture are from 0 to 1, none of them NaN.
inline bool is_in_range(const Tensor& picture) {
  const float* const values = picture.data<float>();
  return std::all_of(values, values + picture.numel(), [](float value) { return value >= 0 && value <= 1; });
}

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

/// A value of a tag of a TIFF file: numbers of 1, 2 or 4 bytes.
struct TiffValue {
  int bytes;
  std::vector<std::uint32_t> numbers;
};

/// A TIFF file of one strip, which holds `pixels`: `bits` has the bits of each sample of a pixel, photometric is TIFF's
/// (0 white is 0, 1 black is 0, 2 RGB, 3 palette, 5 CMYK), `tags` are more tags, or others in place of these;
/// one without numbers is left out.
inline std::string make_tiff(std::uint32_t width, std::uint32_t height,
                             const std::vector<std::uint32_t>& bits, std::uint32_t photometric,
                             const std::string& pixels, const std::map<std::uint32_t, TiffValue>& tags = {},
                             bool little_endian = true) {
  const auto append = little_endian ? append_little_endian : append_big_endian;
  const auto size = static_cast<std::uint32_t>(pixels.size());
  std::map<std::uint32_t, TiffValue> all = tags;
  all.merge(std::map<std::uint32_t, TiffValue>{{256, {4, {width}}},
                                               {257, {4, {height}}},
                                               {258, {2, bits}},
                                               {259, {2, {1}}},  // not compressed
                                               {262, {2, {photometric}}},
                                               {273, {4, {8}}},  // where the strip is
                                               {277, {2, {static_cast<std::uint32_t>(bits.size())}}},
                                               {278, {4, {height}}},
                                               {279, {4, {size}}}});
  std::erase_if(all, [](const auto& tag) { return tag.second.numbers.empty(); });
  std::string file = little_endian ? "II" : "MM";
  append(file, 42, 2);
  append(file, 8 + size + size % 2, 4);
  file += pixels + std::string(size % 2, '\0');
  std::string entries, values;  // values of more than 4 bytes follow the directory
  const auto behind = static_cast<std::uint32_t>(file.size() + 2 + 12 * all.size() + 4);
  for (const auto& [id, value] : all) {
    append(entries, id, 2);
    append(entries, value.bytes == 1 ? 7 : value.bytes == 2 ? 3 : 4, 2);
    append(entries, static_cast<std::uint32_t>(value.numbers.size()), 4);
    std::string text;
    for (const std::uint32_t number : value.numbers) {
      append(text, number, value.bytes);
    }
    if (text.size() <= 4) {
      text.resize(4, '\0');
      entries += text;
    } else {
      append(entries, behind + static_cast<std::uint32_t>(values.size()), 4);
      values += text;
    }
  }
  append(file, static_cast<std::uint32_t>(all.size()), 2);
  return file + entries + std::string(4, '\0') + values;
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
