#include "gesso/core/pictures/picture_check.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>

#include "gesso/core/pictures/heif.h"
#include "gesso/core/pictures/jpeg.h"
#include "gesso/core/pictures/ppm.h"
#include "gesso/core/pictures/tiff.h"
#include "gesso/core/pictures/webp.h"

namespace gesso {
namespace {

std::uint32_t byte_at(std::string_view bytes, std::size_t i) { return static_cast<unsigned char>(bytes[i]); }

std::uint32_t big_endian32(std::string_view bytes, std::size_t i) {
  return byte_at(bytes, i) << 24 | byte_at(bytes, i + 1) << 16 | byte_at(bytes, i + 2) << 8 |
         byte_at(bytes, i + 3);
}

std::uint32_t little_endian32(std::string_view bytes, std::size_t i) {
  return byte_at(bytes, i + 3) << 24 | byte_at(bytes, i + 2) << 16 | byte_at(bytes, i + 1) << 8 |
         byte_at(bytes, i);
}

std::uint32_t little_endian16(std::string_view bytes, std::size_t i) {
  return byte_at(bytes, i + 1) << 8 | byte_at(bytes, i);
}

// The checksum of PNG chunks (PNG specification, annex D): CRC-32 with the reflected polynomial EDB88320.
std::uint32_t crc32(std::string_view bytes) {
  static const std::array<std::uint32_t, 256> table = [] {
    std::array<std::uint32_t, 256> t{};
    for (std::uint32_t n = 0; n < 256; ++n) {
      std::uint32_t c = n;
      for (int bit = 0; bit < 8; ++bit) {
        c = (c & 1) ? 0xEDB88320u ^ (c >> 1) : c >> 1;
      }
      t[n] = c;
    }
    return t;
  }();
  std::uint32_t c = 0xFFFFFFFFu;
  for (const char byte : bytes) {
    c = table[(c ^ static_cast<unsigned char>(byte)) & 0xFF] ^ (c >> 8);
  }
  return ~c;
}

bool has_at(std::string_view bytes, std::size_t i, std::string_view text) {
  return bytes.size() >= i + text.size() && bytes.substr(i, text.size()) == text;
}

// "AVIF", "HEIC" or "": ISO/IEC 14496-12, 4.3: a box "ftyp" with the brands that the file is of, four letters each: the
// main one, a version, and others. HEIC is what HEIF of other brands is called (mif1 says only that it is HEIF).
std::string heif_name(std::string_view bytes) {
  if (!has_at(bytes, 4, "ftyp")) {
    return "";
  }
  const std::size_t end = std::min<std::size_t>(big_endian32(bytes, 0), bytes.size());
  bool heif = false;
  for (std::size_t i = 8; i + 4 <= end; i += 4) {
    const std::string_view brand = bytes.substr(i, 4);
    if (brand == "avif" || brand == "avis") {
      return "AVIF";
    }
    heif = heif || brand.starts_with("hei") || brand.starts_with("hev") || brand == "mif1" || brand == "msf1";
  }
  return heif ? "HEIC" : "";
}

constexpr const char* kTruncated = "the file ends before the picture does (it is truncated or corrupt)";

std::string png_damage(std::string_view bytes) {
  std::size_t at = 8;  // after the signature; then chunks of length, type, body, checksum
  while (bytes.size() - at >= 12) {
    const std::uint32_t length = big_endian32(bytes, at);
    if (length > bytes.size() - at - 12) {
      return kTruncated;
    }
    const std::string_view type = bytes.substr(at + 4, 4);
    const bool decides = (type[0] & 0x20) == 0 || type == "tRNS";  // upper case: critical chunk
    if (decides && crc32(bytes.substr(at + 4, 4 + length)) != big_endian32(bytes, at + 8 + length)) {
      return "a checksum is wrong (the file is corrupt)";
    }
    if (type == "IEND") {
      return "";
    }
    at += std::size_t{12} + length;
  }
  return kTruncated;
}

// The fields of a BMP header that decide how long the file must be.
struct BmpHeader {
  Index width, height, bits, offset;
  bool run_lengths;  // rows are compressed
};

std::optional<BmpHeader> bmp_header(std::string_view bytes) {
  if (bytes.size() < 34) {
    return std::nullopt;
  }
  const Index offset = little_endian32(bytes, 10);
  if (little_endian32(bytes, 14) == 12) {  // the OS/2 header, with 16-bit sizes
    const std::uint32_t size = little_endian32(bytes, 18);
    return BmpHeader{size & 0xFFFF, size >> 16, little_endian32(bytes, 22) >> 16, offset, false};
  }
  const std::uint32_t rows = little_endian32(bytes, 22);
  const std::uint32_t height = rows & 0x80000000u ? 0u - rows : rows;  // negative: from top to bottom
  const std::uint32_t compression = little_endian32(bytes, 30);
  return BmpHeader{little_endian32(bytes, 18), height, little_endian32(bytes, 28) & 0xFFFF, offset,
                   compression == 1 || compression == 2};
}

std::string bmp_damage(std::string_view bytes) {
  const auto header = bmp_header(bytes);
  if (!header) {
    return kTruncated;
  }
  constexpr Index kLargestSide = 1 << 24;  // of stb_image; keeps the products below in range
  if (header->width > kLargestSide || header->height > kLargestSide || header->bits > 64) {
    return "its header is corrupt";
  }
  if (header->width == 0 || header->height == 0) {
    return "it has no pixels";
  }
  if (header->run_lengths) {
    return "";  // of no fixed size; the decoder says that it does not take them
  }
  // Rows are padded to 4 bytes; some writers leave out the last row's padding.
  const Index row = (header->width * header->bits + 7) / 8;
  const Index needed = header->offset + (row + 3) / 4 * 4 * (header->height - 1) + row;
  return static_cast<Index>(bytes.size()) < needed ? kTruncated : "";
}

}  // namespace

std::string_view find_png_chunk(std::string_view file, std::string_view wanted) {
  std::size_t at = 8;
  while (at <= file.size() && file.size() - at >= 12) {
    const std::uint32_t length = big_endian32(file, at);
    if (length > file.size() - at - 12) {
      break;
    }
    if (file.substr(at + 4, 4) == wanted) {
      return file.substr(at + 8, length);
    }
    at += std::size_t{12} + length;
  }
  return {};
}

PictureFormat picture_format(std::string_view bytes) {
  if (bytes.starts_with("\xFF\xD8\xFF")) {
    return PictureFormat::jpeg;
  }
  if (bytes.starts_with("\x89PNG\r\n\x1A\n")) {
    return PictureFormat::png;
  }
  if (bytes.starts_with("BM")) {
    return PictureFormat::bmp;
  }
  if (bytes.starts_with("GIF87a") || bytes.starts_with("GIF89a")) {
    return PictureFormat::gif;
  }
  if (bytes.size() >= 12 && bytes.starts_with("RIFF") && bytes.substr(8, 4) == "WEBP") {
    return PictureFormat::webp;
  }
  if (ppm_header(bytes)) {
    return PictureFormat::ppm;
  }
  // In either byte order; 43 is BigTIFF.
  for (const std::string_view start : {std::string_view("II*\0", 4), std::string_view("MM\0*", 4),
                                       std::string_view("II+\0", 4), std::string_view("MM\0+", 4)}) {
    if (bytes.starts_with(start)) {
      return PictureFormat::tiff;
    }
  }
  return heif_name(bytes).empty() ? PictureFormat::other : PictureFormat::heif;
}

std::string picture_name(std::string_view bytes) {
  switch (picture_format(bytes)) {
    case PictureFormat::jpeg:
      return "JPEG";
    case PictureFormat::png:
      return "PNG";
    case PictureFormat::bmp:
      return "BMP";
    case PictureFormat::gif:
      return "GIF";
    case PictureFormat::ppm:
      return "PPM";
    case PictureFormat::webp:
      return "WebP";
    case PictureFormat::tiff:
      return "TIFF";
    case PictureFormat::heif:
      return heif_name(bytes);
    case PictureFormat::other:
      break;
  }
  return bytes.starts_with("<svg") || bytes.starts_with("<?xml") ? "SVG or XML" : "";
}

std::optional<PictureSize> picture_size(std::string_view bytes, PictureFormat format) {
  if (format == PictureFormat::jpeg) {
    return jpeg_size(read_jpeg(bytes, true));
  }
  if (format == PictureFormat::png && bytes.size() >= 24) {
    return PictureSize{big_endian32(bytes, 16), big_endian32(bytes, 20)};
  }
  if (format == PictureFormat::gif && bytes.size() >= 10) {
    return PictureSize{little_endian16(bytes, 6), little_endian16(bytes, 8)};
  }
  if (const auto header = ppm_header(bytes); header && format == PictureFormat::ppm) {
    return PictureSize{header->width, header->height};
  }
  if (format == PictureFormat::webp) {
    return webp_size(bytes);
  }
  if (format == PictureFormat::tiff) {
    return tiff_size(bytes);
  }
  if (format == PictureFormat::heif) {
    return heif_size(bytes);
  }
  if (const auto header = bmp_header(bytes); header && format == PictureFormat::bmp) {
    return PictureSize{header->width, header->height};
  }
  return std::nullopt;
}

std::string picture_damage(std::string_view bytes, PictureFormat format) {
  switch (format) {
    case PictureFormat::jpeg:
      return jpeg_damage(read_jpeg(bytes));
    case PictureFormat::png:
      return png_damage(bytes);
    case PictureFormat::bmp:
      return bmp_damage(bytes);
    case PictureFormat::gif:  // ends with a byte of its own
      return bytes.ends_with('\x3B') || bytes.ends_with(std::string_view("\x3B\0", 2)) ? "" : kTruncated;
    case PictureFormat::ppm:
      return ppm_is_whole(*ppm_header(bytes), bytes.size()) ? "" : kTruncated;
    case PictureFormat::webp:  // of these the decoder finds out
    case PictureFormat::tiff:
    case PictureFormat::heif:
      return "";
    case PictureFormat::other:
      break;
  }
  return "its format is not known";
}

}  // namespace gesso
