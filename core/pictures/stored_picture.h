// A decoded picture as its file stores it, and the way from there to planes: upright, of numbers in [0, 1].
#pragma once

#include "gesso/core/pictures/picture.h"
#include "gesso/core/pictures/picture_codec.h"

namespace gesso {

/// Where the pixels of the upright picture are in the stored one: pixel (y, x) is stored number
/// first + y * row_step + x * column_step. Each of the eight EXIF orientations is such a walk.
struct PixelWalk {
  Index height, width;  ///< upright
  Index first, row_step, column_step;

  /// Rows begin <= y < end alone.
  PixelWalk rows(Index begin, Index end) const {
    return {end - begin, width, first + begin * row_step, row_step, column_step};
  }
};

/// For a picture that is stored with height x width pixels, and EXIF's orientation 1 to 8.
PixelWalk upright_walk(Index height, Index width, int orientation);

struct StoredPicture {
  PictureSamples samples;
  PixelWalk walk;
};

/// Decodes the file as load_picture() does, and throws as it does.
StoredPicture load_stored_picture(const std::string& path, const LoadOptions& options = {});

/// Writes the pixels of `walk` to planes (3, height, width): numbers in [0, 1], gray three times, transparent pixels laid
/// over white.
void write_planes(const PictureSamples& samples, const PixelWalk& walk, float* planes);
/// And how opaque they are to a plane (height, width). Needs samples of 2 or 4 channels.
void write_alpha(const PictureSamples& samples, const PixelWalk& walk, float* plane);

/// (1, 3, H, W)
Tensor planes_of(const StoredPicture& stored);
/// (1, 1, H, W)
Tensor alpha_of(const StoredPicture& stored);
/// Whether no pixel is transparent.
bool is_opaque(const StoredPicture& stored);

}  // namespace gesso
