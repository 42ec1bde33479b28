// HEIC and AVIF files by libheif, in builds that found it. Both are HEIF: one container, with pictures coded as HEVC (the
// photographs of phones) or AV1.
#pragma once

#include "gesso/core/pictures/picture_codec.h"

namespace gesso {

/// Whether this build reads HEIC and AVIF. What libheif reads is decided by its plugins when it runs: where one is missing,
/// decode_heif() says which.
bool has_heif();

/// The size of the file's main picture as it is shown (turned already), if it has one. Nothing in builds without libheif.
std::optional<PictureSize> heif_size(std::string_view bytes);

/// The file's main picture, upright, with alpha if it has some and its colour profile; of 10 and 12 bits as 16. Throws
/// Error with the reason.
PictureSamples decode_heif(std::string_view bytes);

}  // namespace gesso
