#include "gesso/core/pictures/picture_bytes.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "gesso/core/error.h"
#include "gesso/core/parallel.h"

namespace gesso {
namespace {

constexpr Index kRowBlock = 32;

}  // namespace

PictureBytes picture_bytes(const Tensor& picture, const char* operation, bool alpha) {
  require_defined(picture, operation, "picture");
  const Shape& shape = picture.shape();
  const bool fits = (shape.rank() == 3 || (shape.rank() == 4 && shape[0] == 1)) &&
                    (shape[-3] == 3 || shape[-3] == 1 || (shape[-3] == 4 && alpha));
  require(fits, operation, ": the picture has shape ", shape,
          "; it must be (1, C, H, W) or (C, H, W) with C = 3 or 1", alpha ? ", or 4 with transparency" : "",
          " (slice one out of a batch)");
  require(shape.numel() > 0, operation, ": the picture is empty, shape ", shape);
  PictureBytes bytes;
  bytes.size = {shape[-1], shape[-2]};
  bytes.channels = static_cast<int>(shape[-3]);
  bytes.samples.resize(static_cast<std::size_t>(shape.numel()));
  const Index width = shape[-1], plane = shape[-2] * width;
  const int channels = bytes.channels;
  std::atomic<bool> has_nan = false;
  with_dtype(picture.dtype(), [&]<class T>() {
    const T* planes = picture.data<T>();
    parallel_for(shape[-2], kRowBlock, [&](Index begin, Index end) {
      bool nan = false;
      for (int c = 0; c < channels; ++c) {
        const T* in = planes + c * plane;
        std::uint8_t* out = bytes.samples.data() + c;
        for (Index i = begin * width; i < end * width; ++i) {
          nan |= std::isnan(in[i]);
          const T clamped = std::min(std::max(in[i], T{0}), T{1});
          out[i * channels] = static_cast<std::uint8_t>(std::isnan(in[i]) ? 0 : clamped * 255 + T{0.5});
        }
      }
      if (nan) {
        has_nan = true;
      }
    });
  });
  require(!has_nan, operation, ": the picture contains NaN (not a number), shape ", shape,
          "; look where it came from, e.g. a training that diverged");
  return bytes;
}

}  // namespace gesso
