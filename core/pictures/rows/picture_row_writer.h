// Pictures that are written from top to bottom, so that a large one need not be in memory whole.
#pragma once

#include <memory>
#include <string>

#include "gesso/core/pictures/picture.h"
#include "gesso/core/size2d.h"

namespace gesso {

/// A picture file of which strips of rows are written in order. The file appears complete, with finish(), or not at all.
class PictureRowWriter {
 public:
  virtual ~PictureRowWriter() = default;

  /// The next rows, (1, C, rows, W), as save_picture() takes pictures. Throws ArgumentError for another shape and for NaN,
  /// FileError when the file cannot be written.
  virtual void write(const Tensor& rows) = 0;
  /// After the last row.
  virtual void finish() = 0;

 protected:
  PictureRowWriter() = default;
};

/// Begins a picture of `channels` (3, or 4 with transparency: PNG and WebP) at `path`, whose ending says what it is: .ppm is
/// written by rows, .png in builds with libpng, .jpg and .jpeg in builds with libjpeg; the others are held as bytes and
/// written whole at the end. Throws as save_picture() does.
std::unique_ptr<PictureRowWriter> begin_picture(const std::string& path, Size2d size, int channels,
                                                const SaveOptions& options = {});

/// Bytes that begin_picture() takes for a picture of this size until it is finished.
double memory_of_picture_writer(const std::string& path, Size2d size, int channels);

}  // namespace gesso
