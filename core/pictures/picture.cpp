#include "gesso/core/pictures/picture.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <vector>

#include "gesso/core/files/file.h"
#include "gesso/core/parallel.h"
#include "gesso/core/pictures/color_profile.h"
#include "gesso/core/pictures/exif.h"
#include "gesso/core/pictures/heif.h"
#include "gesso/core/pictures/jpeg.h"
#include "gesso/core/pictures/picture_bytes.h"
#include "gesso/core/pictures/picture_check.h"
#include "gesso/core/pictures/picture_codec.h"
#include "gesso/core/pictures/ppm.h"
#include "gesso/core/pictures/stored_picture.h"
#include "gesso/core/pictures/tiff.h"
#include "gesso/core/pictures/webp.h"

namespace gesso {
namespace {

constexpr std::uint64_t kMaxFileBytes = std::uint64_t{1} << 30;  // no honest picture file is larger
// The segment with the tables of codes that the standard suggests (ITU-T T.81, annex K.3), which stb_image_write
// writes into every file.
std::string standard_code_tables() {
  const std::uint8_t pixel[3] = {};
  const std::string file = encode_jpeg_samples(pixel, {1, 1}, 3, 90);
  std::string tables;
  for (const JpegSegment& segment : read_jpeg(file, true).segments) {
    if (segment.marker == 0xC4) {
      const std::size_t length = segment.body.size() + 2;
      tables += {'\xFF', '\xC4', static_cast<char>(length >> 8), static_cast<char>(length)};
      tables += segment.body;
    }
  }
  return tables;
}

bool same_samples(const PictureSamples& a, const PictureSamples& b) {
  return a.width == b.width && a.height == b.height && a.channels == b.channels &&
         std::memcmp(a.samples.get(), b.samples.get(),
                     static_cast<std::size_t>(a.width * a.height * a.channels)) == 0;
}

// Decodes a JPEG that jpeg_damage() lets pass, put together as a plain one.
PictureSamples decode_jpeg(std::string_view bytes, PictureSize size) {
  static const std::string tables = standard_code_tables();
  Jpeg jpeg = read_jpeg(bytes);
  const auto decoded = [&](std::string_view filler = {}) {
    return decode_samples(plain_jpeg(jpeg, filler, tables), size);
  };
  if (!jpeg.ended) {
    // Only the end marker may be missing. What follows the last pixel decides nothing; where it does, pixels are missing.
    PictureSamples samples = decoded();
    if (!scans_are_complete(jpeg) || !same_samples(samples, decoded("\x5A\xA5\x3C\x69\x5A\xA5\x3C\x69"))) {
      throw Error("the file ends before the picture does (it is truncated or corrupt)");
    }
    return samples;
  }
  try {
    return decoded();
  } catch (const Error&) {
    for (int junk = 0; junk < 8 && take_junk_off(jpeg); ++junk) {
      try {
        return decoded();
      } catch (const Error&) {
        // More of it, perhaps.
      }
    }
    throw;
  }
}

// The formats that need a library, which a build may be without.
struct FormatLibrary {
  PictureFormat format;
  bool there;
  const char *name, *package;  // Debian's
  std::vector<std::string> endings;
};

const std::vector<FormatLibrary>& format_libraries() {
  static const std::vector<FormatLibrary> all = {
      {PictureFormat::webp, has_webp(), "libwebp", "libwebp-dev", {".webp"}},
      {PictureFormat::tiff, has_tiff(), "libtiff 4.5 or newer", "libtiff-dev", {".tif", ".tiff"}},
      {PictureFormat::heif, has_heif(), "libheif", "libheif-dev", {".heic", ".heif", ".avif"}},
  };
  return all;
}

// What the header of a picture says, before anything is decoded.
struct Header {
  PictureFormat format;
  std::optional<PictureSize> size;  // nothing: there is no valid one
};

Header read_header(std::string_view bytes, const LoadOptions& options) {
  if (bytes.empty()) {
    throw Error("it is empty");
  }
  const PictureFormat format = picture_format(bytes);
  const std::string name = picture_name(bytes);
  if (format == PictureFormat::other) {
    throw Error(name.empty()
                    ? "it is not a JPEG, PNG, BMP, GIF, PPM, WebP, TIFF, HEIC or AVIF picture"
                    : concat_text("it is ", name, ", which gesso does not read: convert it first to ",
                                  "PNG, for instance by ImageMagick's \"convert\""));
  }
  for (const FormatLibrary& library : format_libraries()) {
    if (library.format == format && !library.there) {
      throw Error(concat_text("it is ", name, ", and this gesso was built without ", library.name,
                              ": install it (Debian: ", library.package,
                              ") and build again, or convert it first"));
    }
  }
  const auto size = picture_size(bytes, format);
  if (size && size->height != 0 && size->width > options.max_pixels / size->height) {
    throw Error(concat_text("it has ", size->width, " x ", size->height, " pixels, more than the limit of ",
                            options.max_pixels,
                            " (LoadOptions::max_pixels): make it smaller or raise the limit"));
  }
  return {format, size};
}

// Runs `read` and gives what it throws the name of the picture.
template <class Read>
auto named(const std::string& name, Read read) {
  try {
    return read();
  } catch (const MemoryError&) {
    throw;
  } catch (const Error& error) {
    throw FileError(concat_text("cannot load picture '", name, "': ", error.what()));
  }
}

constexpr const char* kNoHeader = "it has no valid header (it is truncated or corrupt)";

PictureSamples decode_ppm(std::string_view bytes, PictureSize size) {
  const PpmHeader header = *ppm_header(bytes);
  PictureSamples samples{size.width, size.height, header.channels, header.largest == 255 ? 8 : 16, {}, {}};
  const Index count = size.width * size.height * header.channels;
  samples.samples.reset(std::malloc(static_cast<std::size_t>(count * samples.bits / 8)));
  if (!samples.samples) {
    throw MemoryError(
        concat_text("not enough memory for a picture of ", size.width, " x ", size.height, " pixels"));
  }
  read_ppm_samples(header, bytes.substr(header.pixels), count, samples.samples.get());
  return samples;
}

PictureSamples decode_as(PictureFormat format, std::string_view bytes, PictureSize size) {
  switch (format) {
    case PictureFormat::jpeg:
      return decode_jpeg(bytes, size);
    case PictureFormat::ppm:
      return decode_ppm(bytes, size);
    case PictureFormat::webp:
      return decode_webp(bytes);
    case PictureFormat::tiff:
      return decode_tiff(bytes, size);
    case PictureFormat::heif:
      return decode_heif(bytes);
    default:
      return decode_samples(bytes, size);
  }
}

StoredPicture decode_stored(std::string_view bytes, const LoadOptions& options) {
  // Before anything is decoded: the header's size, then whether the file is whole.
  const auto [format, size] = read_header(bytes, options);
  const std::string damage = picture_damage(bytes, format);
  if (!damage.empty() || !size) {
    throw Error(size ? damage : kNoHeader);
  }
  PictureSamples samples = decode_as(format, bytes, *size);
  if (samples.profile.empty()) {
    samples.profile = color_profile(bytes);
  }
  if (!samples.profile.empty()) {
    convert_to_srgb(samples, samples.profile);
  }
  const PixelWalk walk = upright_walk(samples.height, samples.width, exif_orientation(bytes));
  return {std::move(samples), walk};
}

Tensor decode(std::string_view bytes, const LoadOptions& options) {
  return planes_of(decode_stored(bytes, options));
}

std::string jpeg_of(const Tensor& picture, int quality, const char* operation) {
  require(quality >= 1 && quality <= 100, operation, ": the JPEG quality is ", quality,
          "; it must be 1 to 100");
  const PictureBytes bytes = picture_bytes(picture, operation);
  require(std::max(bytes.size.width, bytes.size.height) <= 65535, operation, ": the picture has ",
          bytes.size.width, " x ", bytes.size.height,
          " pixels; no side of a JPEG may be longer than 65535: make it smaller or save a PNG");
  return encode_jpeg_samples(bytes.samples.data(), bytes.size, bytes.channels, quality);
}

std::string png_of(const Tensor& picture, const char* operation) {
  const PictureBytes bytes = picture_bytes(picture, operation, true);
  return encode_png_samples(bytes.samples.data(), bytes.size, bytes.channels);
}

std::string ppm_of(const Tensor& picture, const char* operation) {
  const PictureBytes bytes = picture_bytes(picture, operation);
  return concat_text(bytes.channels == 1 ? "P5" : "P6", "\n", bytes.size.width, " ", bytes.size.height,
                     "\n255\n", std::string(bytes.samples.begin(), bytes.samples.end()));
}

std::string webp_of(const Tensor& picture, int quality, const char* operation) {
  require(has_webp(), operation,
          ": this gesso was built without libwebp, which WebP needs: install it (Debian: ",
          "libwebp-dev) and build again, or save a PNG or JPEG");
  require(quality >= 1 && quality <= 100, operation, ": the quality is ", quality, "; it must be 1 to 100");
  PictureBytes bytes = picture_bytes(picture, operation, true);
  if (bytes.channels == 1) {  // libwebp knows no gray
    std::vector<std::uint8_t> colors;
    for (const std::uint8_t gray : bytes.samples) {
      colors.insert(colors.end(), 3, gray);
    }
    bytes.samples = std::move(colors);
    bytes.channels = 3;
  }
  return encode_webp_samples(bytes.samples.data(), bytes.size, bytes.channels, quality);
}

std::string lower_ending(const std::filesystem::path& path) {
  std::string ending = path.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return ending;
}

}  // namespace

bool has_picture_ending(const std::filesystem::path& path) {
  const std::string ending = lower_ending(path);
  const auto lists = [&](const std::vector<std::string>& endings) {
    return std::find(endings.begin(), endings.end(), ending) != endings.end();
  };
  return lists({".jpg", ".jpeg", ".png", ".bmp", ".gif", ".ppm", ".pgm"}) ||
         std::any_of(format_libraries().begin(), format_libraries().end(),
                     [&](const FormatLibrary& library) { return library.there && lists(library.endings); });
}

const std::vector<std::string>& written_picture_endings() {
  static const std::vector<std::string> endings = {".png", ".jpg", ".jpeg", ".webp", ".ppm"};
  return endings;
}

bool has_writable_ending(const std::filesystem::path& path) {
  const std::vector<std::string>& written = written_picture_endings();
  return std::find(written.begin(), written.end(), lower_ending(path)) != written.end();
}

StoredPicture load_stored_picture(const std::string& path, const LoadOptions& options) {
  const std::string bytes = read_file(path, kMaxFileBytes);
  return named(path, [&] { return decode_stored(bytes, options); });
}

Tensor load_picture(const std::string& path, const LoadOptions& options) {
  return decode_picture(read_file(path, kMaxFileBytes), path, options);
}

Tensor load_transparency(const std::string& path, const LoadOptions& options) {
  const std::string bytes = read_file(path, kMaxFileBytes);
  return named(path, [&] {
    const StoredPicture stored = decode_stored(bytes, options);
    return is_opaque(stored) ? Tensor() : alpha_of(stored);
  });
}

Size2d read_picture_size(const std::string& path, const LoadOptions& options) {
  const std::string bytes = read_file(path, kMaxFileBytes);
  return named(path, [&] {
    const auto size = read_header(bytes, options).size;
    if (!size) {
      throw Error(kNoHeader);
    }
    const PixelWalk walk = upright_walk(size->height, size->width, exif_orientation(bytes));
    return Size2d(walk.height, walk.width);
  });
}

Tensor decode_picture(std::string_view bytes, const std::string& name, const LoadOptions& options) {
  return named(name, [&] { return decode(bytes, options); });
}

void save_picture(const std::string& path, const Tensor& picture, const SaveOptions& options) {
  const std::string ending = lower_ending(path);
  const bool jpeg = ending == ".jpg" || ending == ".jpeg", webp = ending == ".webp", ppm = ending == ".ppm";
  require(has_writable_ending(path), "save_picture: '", path,
          "' must end in .png, .jpg, .jpeg, .webp or .ppm: PNG, JPEG, WebP and PPM are what gesso writes");
  write_file_atomically(path, jpeg   ? jpeg_of(picture, options.jpeg_quality, "save_picture")
                              : webp ? webp_of(picture, options.jpeg_quality, "save_picture")
                              : ppm  ? ppm_of(picture, "save_picture")
                                     : png_of(picture, "save_picture"));
}

std::string encode_png(const Tensor& picture) { return png_of(picture, "encode_png"); }

std::string encode_jpeg(const Tensor& picture, int quality) {
  return jpeg_of(picture, quality, "encode_jpeg");
}

}  // namespace gesso
