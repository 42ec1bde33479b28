// ICC profiles: what the numbers of a picture mean. Cameras and phones write wider colours than sRGB (Display P3, Adobe
// RGB), which look dull where their numbers are taken for sRGB.
#pragma once

#include <string>
#include <string_view>

#include "gesso/core/pictures/picture_codec.h"

namespace gesso {

/// Whether this build converts colours: whether it has Little CMS (and zlib, for PNG).
bool has_color_profiles();

/// The ICC profile in a JPEG (its segments APP2, put together) or PNG file (its chunk iCCP, unpacked); empty if there is
/// none, it is broken, or it is larger than 4 MiB.
std::string color_profile(std::string_view file);

/// Converts the colours of `samples` (3 or 4 channels) from `profile` to sRGB, in place, as a viewer does (relative
/// colorimetric, black point compensated). Returns false, and changes nothing, where it cannot: in builds without Little
/// CMS, for profiles that are broken or not of RGB.
bool convert_to_srgb(PictureSamples& samples, std::string_view profile);

}  // namespace gesso
