// What a picture file is and whether it is whole, found out from its bytes before anything is decoded: a
// decoder fills what is missing with gray or black and calls that a success.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gesso/core/index.h"

namespace gesso {

enum class PictureFormat { jpeg, png, bmp, gif, ppm, webp, tiff, heif, other };

/// The format that the first bytes of a file announce. HEIC and AVIF are heif.
PictureFormat picture_format(std::string_view bytes);

/// The name of the picture format that `bytes` begin like, be it one that gesso does not read ("HEIC", "SVG or XML"); empty
/// if they begin like none.
std::string picture_name(std::string_view bytes);

/// The body of the first chunk of a PNG file that has this type of four letters; empty if there is none.
std::string_view find_png_chunk(std::string_view file, std::string_view wanted);

struct PictureSize {
  Index width = 0;  ///< at most 2^32, as height
  Index height = 0;
};

/// The size that the header of the picture in `bytes` states, as it is stored (before EXIF turns it; HEIF: as it is
/// shown); nothing if there is no such header.
std::optional<PictureSize> picture_size(std::string_view bytes, PictureFormat format);

/// Why the picture in `bytes` is not whole; empty if it is. JPEG: jpeg_damage() (whether its coded data are whole,
/// decoding tells). PNG:
/// chunks that fit, with right checksums (of chunks that decide what is shown), up to the end chunk. BMP and PPM: as
/// many bytes as the header's sizes need.
std::string picture_damage(std::string_view bytes, PictureFormat format);

}  // namespace gesso
