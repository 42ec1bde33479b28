// Pictures that are read from top to bottom, so that a large one need not be in memory whole.
#pragma once

#include <memory>
#include <string>

#include "gesso/core/pictures/picture.h"
#include "gesso/core/size2d.h"

namespace gesso {

/// A picture file whose rows are read in order, any number of times. What they show is what load_picture() shows of the
/// file (of JPEG files to within the rounding of another decoder).
class PictureRows {
 public:
  virtual ~PictureRows() = default;

  /// Upright.
  Size2d size() const { return size_; }
  /// Whether pixels may be transparent.
  bool has_alpha() const { return has_alpha_; }

  /// The next `rows` rows, (1, 3, rows, W) as load_picture() gives them. With `alpha` (1, 4, rows, W): the fourth plane is
  /// how opaque they are. Throws FileError, naming the file and the reason, where the file is damaged.
  virtual Tensor next(Index rows, bool alpha = false) = 0;
  /// From the first row again.
  virtual void rewind() = 0;

 protected:
  PictureRows(Size2d size, bool has_alpha) : size_(size), has_alpha_(has_alpha) {}

 private:
  Size2d size_;
  bool has_alpha_;
};

/// Opens a picture. PPM files are read by rows, PNG files in builds with libpng, JPEG files in builds with libjpeg, unless
/// they are interlaced, progressive or to be turned; the others are decoded now and held, and so are JPEG files that take at
/// most `jpeg_memory` bytes so: then the decoder is load_picture()'s. Throws FileError as load_picture() does.
std::unique_ptr<PictureRows> open_picture_rows(const std::string& path, const LoadOptions& options = {},
                                               double jpeg_memory = 0);

struct PictureRowsFacts {
  Size2d size = 1;
  double memory = 0;  ///< bytes that open_picture_rows() takes while it opens the picture, and after
};

/// What a picture file's header says. Throws FileError as read_picture_size() does.
PictureRowsFacts look_at_picture(const std::string& path, const LoadOptions& options = {},
                                 double jpeg_memory = 0);

}  // namespace gesso
