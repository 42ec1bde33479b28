// What a picture file is and whether it is whole, found out from its bytes before anything is decoded: a
// decoder fills what is missing with gray or black and calls that a success.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "gesso/core/index.h"

namespace gesso {

enum class PictureFormat { jpeg, png, bmp, other };

/// The format that the first bytes of a file announce.
PictureFormat picture_format(std::string_view bytes);

/// The name of a picture format that gesso does not read ("GIF", "WebP", ...), if `bytes` begin like one;
/// else an empty string.
std::string other_picture_format(std::string_view bytes);

struct PictureSize {
  Index width = 0;  ///< at most 2^32, as height
  Index height = 0;
};

/// The size that the header of the picture in `bytes` states, as it is stored (before EXIF turns it); nothing
/// if there is no such header.
std::optional<PictureSize> picture_size(std::string_view bytes, PictureFormat format);

/// Why the picture in `bytes` is not whole; empty if it is. JPEG: segments that fit and an end marker. PNG:
/// chunks that fit, with right checksums (of chunks that decide what is shown), up to the end chunk. BMP: as
/// many bytes as the header's sizes need.
std::string picture_damage(std::string_view bytes, PictureFormat format);

/// Calls visit(marker, body) for each segment of a JPEG file, in order, until `visit` returns false, the end
/// marker comes, or the file is not well formed. `marker` is the second byte (0xE1 is APP1), `body` what
/// follows the length. Returns whether the end marker was reached.
bool walk_jpeg(std::string_view bytes, const std::function<bool(int marker, std::string_view body)>& visit);

}  // namespace gesso
