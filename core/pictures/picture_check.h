// What a picture file is and whether it is whole, found out from its bytes before anything is decoded: a
// decoder fills what is missing with gray or black and calls that a success.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gesso/core/index.h"

namespace gesso {

enum class PictureFormat { jpeg, png, bmp, gif, webp, other };

/// The format that the first bytes of a file announce.
PictureFormat picture_format(std::string_view bytes);

/// The name of a picture format that gesso does not read ("TIFF", "AVIF", ...), if `bytes` begin like one;
/// else an empty string.
std::string other_picture_format(std::string_view bytes);

/// The body of the first chunk of a PNG file that has this type of four letters; empty if there is none.
std::string_view find_png_chunk(std::string_view file, std::string_view wanted);

struct PictureSize {
  Index width = 0;  ///< at most 2^32, as height
  Index height = 0;
};

/// The size that the header of the picture in `bytes` states, as it is stored (before EXIF turns it); nothing
/// if there is no such header.
std::optional<PictureSize> picture_size(std::string_view bytes, PictureFormat format);

/// Why the picture in `bytes` is not whole; empty if it is. JPEG: jpeg_damage() (whether its coded data are whole,
/// decoding tells). PNG:
/// chunks that fit, with right checksums (of chunks that decide what is shown), up to the end chunk. BMP: as
/// many bytes as the header's sizes need.
std::string picture_damage(std::string_view bytes, PictureFormat format);

}  // namespace gesso
