// TIFF files by libtiff, in builds that found it.
#pragma once

#include "gesso/core/pictures/picture_codec.h"

namespace gesso {

/// Whether this build reads TIFF.
bool has_tiff();

/// The size of the file's first picture, if there is one. Nothing in builds without libtiff.
std::optional<PictureSize> tiff_size(std::string_view bytes);

/// How the file's first picture is to be turned: see exif_orientation(). 1 in builds without libtiff.
int tiff_orientation(std::string_view bytes);

/// The file's first picture, whose tiff_size() is `size`, as it is stored, with its colour profile. 16 bits stay 16 where
/// the samples of gray or red, green and blue lie side by side in strips; everything else (palettes, CMYK, tiles, JPEG
/// inside) comes as 8 bits. Throws Error with the reason.
PictureSamples decode_tiff(std::string_view bytes, PictureSize size);

}  // namespace gesso
