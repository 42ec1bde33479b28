#include "gesso/core/pictures/exif.h"

#include <cstdint>
#include <optional>

#include "gesso/core/pictures/jpeg.h"
#include "gesso/core/pictures/picture_check.h"
#include "gesso/core/pictures/tiff.h"

namespace gesso {
namespace {

// Reads numbers of a TIFF structure in its own byte order; nothing outside it.
class TiffReader {
 public:
  explicit TiffReader(std::string_view bytes) : bytes_(bytes), little_(bytes.starts_with("II")) {}

  std::optional<std::uint32_t> number(std::uint64_t at, int size) const {
    if (at > bytes_.size() || bytes_.size() - at < static_cast<std::uint64_t>(size)) {
      return std::nullopt;
    }
    std::uint32_t value = 0;
    for (int i = 0; i < size; ++i) {
      const int shift = 8 * (little_ ? i : size - 1 - i);
      value |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes_[at + i])) << shift;
    }
    return value;
  }

 private:
  std::string_view bytes_;
  bool little_;
};

// The orientation in a TIFF structure: a header with the offset of the first directory, which is a count and
// entries of 12 bytes: tag, type, number of values, value.
int orientation_in(std::string_view bytes) {
  if (!bytes.starts_with("II") && !bytes.starts_with("MM")) {
    return 1;
  }
  const TiffReader tiff(bytes);
  const auto directory = tiff.number(4, 4);
  if (tiff.number(2, 2) != 42u || !directory) {
    return 1;
  }
  const std::uint32_t entries = tiff.number(*directory, 2).value_or(0);
  for (std::uint32_t i = 0; i < entries; ++i) {
    const std::uint64_t entry = std::uint64_t{*directory} + 2 + 12 * std::uint64_t{i};
    if (tiff.number(entry, 2) != 0x0112u) {
      continue;
    }
    // A short, says the standard; some cameras write a long.
    constexpr std::uint32_t kShort = 3, kLong = 4;
    const auto type = tiff.number(entry + 2, 2);
    const std::uint32_t value = tiff.number(entry + 8, type == kLong ? 4 : 2).value_or(0);
    const bool valid = (type == kShort || type == kLong) && value >= 1 && value <= 8;
    return valid ? static_cast<int>(value) : 1;
  }
  return 1;
}

}  // namespace

int exif_orientation(std::string_view file) {
  constexpr int kApp1 = 0xE1;
  constexpr std::string_view kExif{"Exif\0\0", 6};
  switch (picture_format(file)) {
    case PictureFormat::jpeg:
      for (const JpegSegment& segment : read_jpeg(file, true).segments) {  // EXIF comes before the picture
        if (segment.marker == kApp1 && segment.body.starts_with(kExif)) {
          return orientation_in(segment.body.substr(kExif.size()));
        }
      }
      return 1;
    case PictureFormat::png:
      return orientation_in(find_png_chunk(file, "eXIf"));
    case PictureFormat::tiff:
      return tiff_orientation(file);
    default:
      return 1;
  }
}

}  // namespace gesso
