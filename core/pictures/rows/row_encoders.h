// The formats that can be written by rows.
#pragma once

#include <cstdint>
#include <memory>

#include "gesso/core/files/file.h"
#include "gesso/core/pictures/picture_check.h"

namespace gesso {

/// An encoder at work on a file.
class RowEncoder {
 public:
  virtual ~RowEncoder() = default;
  /// The next rows, as PictureSamples has them. Throws FileError when the file cannot be written.
  virtual void write(const std::uint8_t* samples, Index rows) = 0;
  /// After the last row; the file is not committed.
  virtual void finish() = 0;
};

// Null in builds without the library.
std::unique_ptr<RowEncoder> begin_png_rows(AtomicFile& file, PictureSize size, int channels);
std::unique_ptr<RowEncoder> begin_jpeg_rows(AtomicFile& file, PictureSize size, int channels, int quality);
std::unique_ptr<RowEncoder> begin_ppm_rows(AtomicFile& file, PictureSize size, int channels);
bool can_write_png_rows();
bool can_write_jpeg_rows();

}  // namespace gesso
