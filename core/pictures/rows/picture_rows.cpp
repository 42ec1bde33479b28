#include "gesso/core/pictures/rows/picture_rows.h"

#include <algorithm>

#include "gesso/core/error.h"
#include "gesso/core/pictures/rows/sample_rows.h"
#include "gesso/core/pictures/stored_picture.h"

namespace gesso {
namespace {

// A picture that is decoded whole. Its samples are a third or a quarter of what its planes would take.
class DecodedRows : public PictureRows {
 public:
  explicit DecodedRows(StoredPicture stored)
      : PictureRows({stored.walk.height, stored.walk.width}, !is_opaque(stored)),
        stored_(std::move(stored)) {}

  Tensor next(Index rows, bool alpha) override {
    const PixelWalk walk = stored_.walk.rows(at_, at_ + rows);
    const Index plane = rows * walk.width;
    Tensor picture = Tensor::empty({1, alpha ? 4 : 3, rows, walk.width});
    float* const planes = picture.mutable_data<float>();
    write_planes(stored_.samples, walk, planes);
    if (alpha && has_alpha()) {
      write_alpha(stored_.samples, walk, planes + 3 * plane);
    } else if (alpha) {
      std::fill_n(planes + 3 * plane, plane, 1.0F);
    }
    at_ += rows;
    return picture;
  }

  void rewind() override { at_ = 0; }

 private:
  StoredPicture stored_;
  Index at_ = 0;
};

// Bytes to decode a picture of this size whole: the file, the samples, and what decoders take beside them, up to as much
// again.
double memory_of_whole(const std::string& path, Size2d size) {
  return static_cast<double>(InputFile(path).size()) +
         8.0 * static_cast<double>(size.height) * static_cast<double>(size.width);
}

// By rows, where that is possible and wanted.
std::unique_ptr<PictureRows> open_by_rows(const std::string& path, const LoadOptions& options,
                                          double jpeg_memory) {
  try {
    for (const auto open : {open_png_rows, open_ppm_rows}) {
      if (auto rows = open(path, options)) {
        return rows;
      }
    }
    auto jpeg = open_jpeg_rows(path, options);
    return jpeg && memory_of_whole(path, jpeg->size()) <= jpeg_memory ? nullptr : std::move(jpeg);
  } catch (const MemoryError&) {
    throw;
  } catch (const FileError&) {
    throw;
  } catch (const Error& error) {
    throw FileError(concat_text("cannot load picture '", path, "': ", error.what()));
  }
}

}  // namespace

std::unique_ptr<PictureRows> open_picture_rows(const std::string& path, const LoadOptions& options,
                                               double jpeg_memory) {
  if (auto rows = open_by_rows(path, options, jpeg_memory)) {
    return rows;
  }
  return std::make_unique<DecodedRows>(load_stored_picture(path, options));
}

PictureRowsFacts look_at_picture(const std::string& path, const LoadOptions& options, double jpeg_memory) {
  if (const auto rows = open_by_rows(path, options, jpeg_memory)) {
    return {rows->size(), 0};
  }
  const Size2d size = read_picture_size(path, options);
  return {size, memory_of_whole(path, size)};
}

}  // namespace gesso
