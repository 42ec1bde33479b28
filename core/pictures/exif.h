// EXIF, as far as a picture's orientation needs it: cameras store what the sensor saw and note how they were
// held.
#pragma once

#include <string_view>

namespace gesso {

/// The orientation, 1 to 8, in the EXIF data of a JPEG file, or of a PNG file (its chunk eXIf) (EXIF 2.3, tag 0x0112;
/// of type short, or long as some cameras write it), or a TIFF file's own; 1 (upright as it is) when there is none or it
/// makes no sense, and for HEIF, whose decoder turns the picture itself. Reads nothing outside `file`, whatever the bytes claim.
///
/// Where the stored first row and first column belong when the picture is shown:
///
///     1 top, left       5 left, top        (mirrored along the diagonal)
///     2 top, right      6 right, top       (to be turned 90 degrees clockwise)
///     3 bottom, right   7 right, bottom    (mirrored along the other diagonal)
///     4 bottom, left    8 left, bottom     (to be turned 90 degrees anticlockwise)
int exif_orientation(std::string_view file);

}  // namespace gesso
