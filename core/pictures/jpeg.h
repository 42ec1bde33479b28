// JPEG files as the world has them: cameras, phones and films write what the standard does not, and every viewer shows
// it. Here a file is taken apart and put together again as a plain one, which any decoder takes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gesso/core/pictures/picture_check.h"

namespace gesso {

/// One segment of a JPEG file.
struct JpegSegment {
  int marker;             ///< its second byte: 0xE1 is APP1
  std::string_view body;  ///< what follows the length
  std::string_view scan;  ///< after a start of scan (0xDA): the coded data
};

struct Jpeg {
  std::vector<JpegSegment> segments;
  bool ended = false;  ///< the end marker was there
};

/// The segments of the JPEG file `bytes`, which must begin like one, up to its end marker; if that is missing, up to
/// what is no segment any more. Bytes between segments that belong to none (padding) are left out, and what comes
/// after the end marker (other pictures of a panorama, say). With `header_only` nothing from the first scan on is
/// looked at. Reads nothing outside `bytes`, whatever they claim.
Jpeg read_jpeg(std::string_view bytes, bool header_only = false);

/// The size that the frame header states, if there is one.
std::optional<PictureSize> jpeg_size(const Jpeg& jpeg);

/// Why it cannot be a picture, whoever decodes it; empty if it can: it has a frame, quantization tables and a scan,
/// and tables of codes that a decoder can take.
std::string jpeg_damage(const Jpeg& jpeg);

/// Whether the scans hold every bit of every coefficient: in a progressive JPEG each scan adds some.
bool scans_are_complete(const Jpeg& jpeg);

/// A plain JPEG file of these segments. `filler` is put at the end of the last scan. Without any tables of codes, as in
/// the frames of Motion JPEG, it gets those of `code_tables`, a segment 0xC4 with its marker and length. With four
/// components and no marker of Adobe's it gets one that says CMYK.
std::string plain_jpeg(const Jpeg& jpeg, std::string_view filler, std::string_view code_tables);

/// Takes one restart marker, zero, or FF 00 off the end of the last scan; false if there is none. Some cameras leave
/// them there, behind the last pixel.
bool take_junk_off(Jpeg& jpeg);

}  // namespace gesso
