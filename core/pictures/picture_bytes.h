// A picture as files store it: 8 bits a sample.
#pragma once

#include <cstdint>
#include <vector>

#include "gesso/core/pictures/picture_check.h"
#include "gesso/core/tensor.h"

namespace gesso {

struct PictureBytes {
  PictureSize size;
  int channels = 0;
  std::vector<std::uint8_t> samples;  ///< as in PictureSamples
};

/// The samples of `picture` as save_picture() writes them; with `alpha` there may be a fourth channel. Throws ArgumentError
/// as it does, naming the operation.
PictureBytes picture_bytes(const Tensor& picture, const char* operation, bool alpha = false);

}  // namespace gesso
