// What the formats that can be read by rows have in common.
#pragma once

#include <functional>

#include "gesso/core/files/file.h"
#include "gesso/core/pictures/rows/picture_rows.h"
#include "gesso/core/pictures/stored_picture.h"

namespace gesso {

/// A decoder at work on a file: samples as PictureSamples has them.
class SampleRows {
 public:
  virtual ~SampleRows() = default;
  /// The next `rows` rows to `samples`. Throws Error with the reason.
  virtual void read(Index rows, void* samples) = 0;
};

/// What a file says before its pixels.
struct SampleRowsHeader {
  Index width = 0, height = 0;
  int channels = 0, bits = 8;  ///< as in PictureSamples
  std::string profile = {};    ///< ICC
};

/// A picture whose decoder `begin` starts at the first row.
std::unique_ptr<PictureRows> picture_of_samples(const std::string& name, const SampleRowsHeader& header,
                                                std::function<std::unique_ptr<SampleRows>()> begin);

// One for each format: null where the file is not of it, or cannot be read by rows (by this build).
std::unique_ptr<PictureRows> open_png_rows(const std::string& path, const LoadOptions& options);
std::unique_ptr<PictureRows> open_jpeg_rows(const std::string& path, const LoadOptions& options);
std::unique_ptr<PictureRows> open_ppm_rows(const std::string& path, const LoadOptions& options);

/// The beginning of a file, at most so many bytes.
std::string beginning_of(const InputFile& file, std::size_t most);

/// Throws Error unless a picture of this size has at most options.max_pixels pixels, and some.
void require_pixels(Index width, Index height, const LoadOptions& options);

}  // namespace gesso
