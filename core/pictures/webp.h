// WebP files by libwebp, in builds that found it.
#pragma once

#include "gesso/core/pictures/picture_codec.h"

namespace gesso {

/// Whether this build reads and writes WebP.
bool has_webp();

/// The size that the header states, if it is one. Nothing in builds without libwebp.
std::optional<PictureSize> webp_size(std::string_view bytes);

/// The picture, with alpha if it has some. Throws Error with the reason: truncated, corrupt, an animation.
PictureSamples decode_webp(std::string_view bytes);

/// A WebP file of 8-bit samples, 3 (RGB) or 4 (and alpha) channels, at quality 1 to 100. Throws Error with the reason.
std::string encode_webp_samples(const std::uint8_t* samples, PictureSize size, int channels, int quality);

}  // namespace gesso
