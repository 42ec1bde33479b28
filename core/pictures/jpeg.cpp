#include "gesso/core/pictures/jpeg.h"

#include <algorithm>
#include <array>
#include <map>

namespace gesso {
namespace {

constexpr int kCodeTables = 0xC4, kEnd = 0xD9, kScan = 0xDA, kQuantization = 0xDB;

unsigned byte_at(std::string_view bytes, std::size_t i) { return static_cast<unsigned char>(bytes[i]); }

bool is_restart(int marker) { return marker >= 0xD0 && marker <= 0xD7; }

// Start of frame is C0 to CF, but C4, C8 and CC have other uses.
bool is_frame(int marker) { return marker == 0xC0 || (marker > 0xC0 && marker <= 0xCF && marker % 4 != 0); }

// TEM and the restart markers have no body.
bool stands_alone(int marker) { return marker == 0x01 || is_restart(marker); }

// Markers that have a meaning at all: 02 to BF are reserved, and 00 and FF are none.
bool is_known(int marker) { return marker >= 0xC0 && marker <= 0xFE; }

// Adobe's segment, which says what four components are: their colours as they are, CMYK.
constexpr std::string_view kAdobeCmyk{
    "\xFF\xEE\0\x0E"
    "Adobe\0\x64\0\0\0\0\0",
    16};

// Whether there are four components, and no word of what they are. The standard leaves that open; browsers, ImageMagick
// and Pillow all take them for CMYK, inverted (255 is no ink) as Adobe's programs write it.
bool is_cmyk_without_a_word(const Jpeg& jpeg) {
  constexpr int kApp14 = 0xEE;
  bool four = false;
  for (const JpegSegment& segment : jpeg.segments) {
    if (segment.marker == kApp14 && segment.body.starts_with("Adobe")) {
      return false;
    }
    four = four || (is_frame(segment.marker) && segment.body.size() > 5 && segment.body[5] == 4);
  }
  return four;
}

// Where the coded data that begin at `at` end: at the next marker that is no restart. FF is written as FF 00 there.
std::size_t end_of_scan(std::string_view bytes, std::size_t at) {
  while (at + 1 < bytes.size()) {
    const std::size_t next = bytes.find('\xFF', at);
    if (next == std::string_view::npos || next + 1 >= bytes.size()) {
      break;
    }
    const int marker = static_cast<int>(byte_at(bytes, next + 1));
    if (marker != 0x00 && marker != 0xFF && !stands_alone(marker)) {
      return next;
    }
    at = next + (marker == 0xFF ? 1 : 2);
  }
  return bytes.ends_with('\xFF') ? bytes.size() - 1 : bytes.size();
}

// Whether the tables of a DHT segment (class and number, 16 counts of codes by length, the symbols) have at most 255
// symbols each. 8-bit JPEG uses no more than 176, and stb_image 2.27 writes past its arrays when there are more than
// 256 and reads before them when there are 256 short ones.
bool code_tables_fit(std::string_view body) {
  while (!body.empty()) {
    if (body.size() < 17) {
      return false;
    }
    std::size_t symbols = 0;
    for (std::size_t i = 1; i <= 16; ++i) {
      symbols += byte_at(body, i);
    }
    if (symbols > 255 || symbols > body.size() - 17) {
      return false;
    }
    body.remove_prefix(17 + symbols);
  }
  return true;
}

}  // namespace

Jpeg read_jpeg(std::string_view bytes, bool header_only) {
  Jpeg jpeg;
  bool scanned = false;
  std::size_t at = 2;  // after the start marker
  while (at < bytes.size()) {
    at = bytes.find('\xFF', at);  // what comes before is padding
    if (at == std::string_view::npos) {
      break;
    }
    while (at < bytes.size() && byte_at(bytes, at) == 0xFF) {  // any number of fill bytes
      ++at;
    }
    if (at >= bytes.size()) {
      break;
    }
    const int marker = static_cast<int>(byte_at(bytes, at++));
    if (marker == kEnd) {
      jpeg.ended = true;
      break;
    }
    if (stands_alone(marker) || (!scanned && !is_known(marker))) {
      continue;
    }
    const std::size_t length = bytes.size() - at < 2 ? 0 : byte_at(bytes, at) << 8 | byte_at(bytes, at + 1);
    if (!is_known(marker) || length < 2 || length > bytes.size() - at || (header_only && marker == kScan)) {
      break;  // the file ends, or what follows the last scan is no part of the picture
    }
    JpegSegment segment{marker, bytes.substr(at + 2, length - 2), {}};  // the length counts itself
    at += length;
    if (marker == kScan) {
      const std::size_t end = end_of_scan(bytes, at);
      segment.scan = bytes.substr(at, end - at);
      at = end;
      scanned = true;
    }
    jpeg.segments.push_back(segment);
  }
  return jpeg;
}

std::optional<PictureSize> jpeg_size(const Jpeg& jpeg) {
  for (const JpegSegment& segment : jpeg.segments) {
    if (is_frame(segment.marker) && segment.body.size() >= 5) {
      return PictureSize{byte_at(segment.body, 3) << 8 | byte_at(segment.body, 4),
                         byte_at(segment.body, 1) << 8 | byte_at(segment.body, 2)};
    }
  }
  return std::nullopt;
}

std::string jpeg_damage(const Jpeg& jpeg) {
  bool quantization = false, scan = false;
  for (const JpegSegment& segment : jpeg.segments) {
    quantization = quantization || segment.marker == kQuantization;
    scan = scan || segment.marker == kScan;
    if (segment.marker == kCodeTables && !code_tables_fit(segment.body)) {
      return "its code tables are corrupt";
    }
  }
  return !scan           ? "the file ends before the picture does (it is truncated or corrupt)"
         : !quantization ? "it has no quantization tables (it is truncated or corrupt)"
                         : "";
}

bool scans_are_complete(const Jpeg& jpeg) {
  // The bits of each coefficient that are still missing, by component: all at first.
  std::map<unsigned, std::array<int, 64>> missing;
  for (const JpegSegment& segment : jpeg.segments) {
    if (is_frame(segment.marker) && segment.body.size() >= 6) {
      for (std::size_t i = 6; i + 2 < segment.body.size(); i += 3) {
        missing[byte_at(segment.body, i)].fill(16);
      }
    }
    if (segment.marker == kScan && !segment.body.empty()) {
      const std::size_t components = byte_at(segment.body, 0), tail = 1 + 2 * components;
      if (segment.body.size() < tail + 3) {
        return false;
      }
      const unsigned first = byte_at(segment.body, tail),
                     last = std::min(byte_at(segment.body, tail + 1), 63u);
      const int low_bit = static_cast<int>(byte_at(segment.body, tail + 2) & 15);
      for (std::size_t i = 0; i < components; ++i) {
        const auto found = missing.find(byte_at(segment.body, 1 + 2 * i));
        for (unsigned k = first; found != missing.end() && k <= last; ++k) {
          found->second[k] = low_bit;
        }
      }
    }
  }
  return std::all_of(missing.begin(), missing.end(), [](const auto& component) {
    return std::all_of(component.second.begin(), component.second.end(), [](int bits) { return bits == 0; });
  });
}

std::string plain_jpeg(const Jpeg& jpeg, std::string_view filler, std::string_view code_tables) {
  const auto is = [](int marker) {
    return [marker](const JpegSegment& segment) { return segment.marker == marker; };
  };
  const bool has_tables = std::any_of(jpeg.segments.begin(), jpeg.segments.end(), is(kCodeTables));
  std::string file = "\xFF\xD8";
  if (is_cmyk_without_a_word(jpeg)) {
    file += kAdobeCmyk;
  }
  for (const JpegSegment& segment : jpeg.segments) {
    if (segment.marker == kScan && !has_tables) {
      file += code_tables;
      code_tables = {};
    }
    const std::size_t length = segment.body.size() + 2;
    file += {'\xFF', static_cast<char>(segment.marker), static_cast<char>(length >> 8),
             static_cast<char>(length)};
    file += segment.body;
    file += segment.scan;
    if (&segment == &jpeg.segments.back()) {
      file += filler;
    }
  }
  file += "\xFF\xD9";
  return file;
}

bool take_junk_off(Jpeg& jpeg) {
  for (auto segment = jpeg.segments.rbegin(); segment != jpeg.segments.rend(); ++segment) {
    if (segment->marker != kScan) {
      continue;
    }
    std::string_view& scan = segment->scan;
    const bool pair = scan.size() >= 2 && byte_at(scan, scan.size() - 2) == 0xFF &&
                      (scan.back() == '\0' || is_restart(static_cast<int>(byte_at(scan, scan.size() - 1))));
    if (!pair && !scan.ends_with('\0')) {
      return false;
    }
    scan.remove_suffix(pair ? 2 : 1);
    return true;
  }
  return false;
}

}  // namespace gesso
