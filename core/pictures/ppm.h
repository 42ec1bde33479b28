// PPM, the plainest of formats: a line of sizes, then the pixels. Files of any size are written and read without a library.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "gesso/core/index.h"

namespace gesso {

/// The header of a binary PPM (P6) or PGM (P5) file: netpbm's ppm(5).
struct PpmHeader {
  Index width = 0, height = 0;
  int channels = 3;  ///< 1 of a PGM
  Index largest =
      255;  ///< the sample that means 1; at most 65535, and above 255 samples have two bytes, the high one first
  std::size_t pixels = 0;  ///< where they begin

  Index bytes_per_sample() const { return largest > 255 ? 2 : 1; }
  Index row_bytes() const { return width * channels * bytes_per_sample(); }
};

/// The header that `bytes`, the beginning of a file, hold; nothing if they do not.
std::optional<PpmHeader> ppm_header(std::string_view bytes);

/// Whether a file of so many bytes has all pixels.
bool ppm_is_whole(const PpmHeader& header, std::uint64_t file_bytes);

/// Samples as PictureSamples has them (8 bits, or 16 if `largest` is not 255) from `count` samples of a file.
void read_ppm_samples(const PpmHeader& header, std::string_view bytes, Index count, void* samples);

}  // namespace gesso
