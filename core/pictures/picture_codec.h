// The door to stb_image and stb_image_write: picture_codec.cpp is the only file that includes them, with
// everything static, so that a program which uses stb itself does not clash with gesso.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "gesso/core/index.h"
#include "gesso/core/pictures/picture_check.h"

namespace gesso {

/// A decoded picture: samples[(y * width + x) * channels + c], rows from top to bottom. Channels: 1 gray,
/// 2 gray and alpha, 3 RGB, 4 RGB and alpha. PictureSamples are uint8_t or, with bits == 16, uint16_t.
struct PictureSamples {
  struct Free {
    void operator()(void* block) const { std::free(block); }
  };
  Index width = 0;
  Index height = 0;
  int channels = 0;
  int bits = 8;
  std::unique_ptr<void, Free> samples;
  std::string profile = {};  ///< the ICC profile that the decoder met, if any
};

/// Decodes a JPEG, PNG, BMP or GIF file (of which the first frame) that picture_damage() found whole and whose picture_size() is `size`.
/// Throws Error with the reason.
PictureSamples decode_samples(std::string_view bytes, PictureSize size);

/// The PNG file of 8-bit samples, laid out as in PictureSamples. Throws Error with the reason.
std::string encode_png_samples(const std::uint8_t* samples, PictureSize size, int channels);

/// The JPEG file of 8-bit samples (1 or 3 channels, no side above 65535) at quality 1 to 100. Throws Error
/// with the reason.
std::string encode_jpeg_samples(const std::uint8_t* samples, PictureSize size, int channels, int quality);

}  // namespace gesso
