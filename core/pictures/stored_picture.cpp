#include "gesso/core/pictures/stored_picture.h"

#include <algorithm>
#include <limits>

#include "gesso/core/error.h"
#include "gesso/core/parallel.h"

namespace gesso {
namespace {

constexpr Index kRowBlock = 32;

// planes[c][y][x] = samples[walk(y, x)][c] / largest; gray goes to three planes, alpha is laid over white.
template <class Sample, int kChannels>
void to_planes(const Sample* samples, const PixelWalk& walk, float* planes) {
  constexpr float kLargest = std::numeric_limits<Sample>::max();
  constexpr bool kGray = kChannels <= 2, kAlpha = kChannels % 2 == 0;
  const Index plane = walk.height * walk.width;
  parallel_for(walk.height, kRowBlock, [&](Index begin, Index end) {
    for (Index y = begin; y < end; ++y) {
      const Sample* row = samples + (walk.first + y * walk.row_step) * kChannels;
      const Index step = walk.column_step * kChannels;
      for (int c = 0; c < 3; ++c) {
        float* out = planes + c * plane + y * walk.width;
        const Sample* in = row + (kGray ? 0 : c);
        for (Index x = 0; x < walk.width; ++x) {
          out[x] = static_cast<float>(in[x * step]) / kLargest;
        }
        if constexpr (kAlpha) {
          const Sample* alpha = row + kChannels - 1;
          for (Index x = 0; x < walk.width; ++x) {
            const float a = static_cast<float>(alpha[x * step]) / kLargest;
            out[x] = out[x] * a + (1 - a);
          }
        }
      }
    }
  });
}

template <class Sample>
void to_planes(const PictureSamples& decoded, const PixelWalk& walk, float* planes) {
  const auto* samples = static_cast<const Sample*>(decoded.samples.get());
  switch (decoded.channels) {
    case 1:
      return to_planes<Sample, 1>(samples, walk, planes);
    case 2:
      return to_planes<Sample, 2>(samples, walk, planes);
    case 3:
      return to_planes<Sample, 3>(samples, walk, planes);
    case 4:
      return to_planes<Sample, 4>(samples, walk, planes);
    default:
      throw Error(concat_text("it has ", decoded.channels, " channels"));
  }
}

template <class Sample>
void to_alpha(const PictureSamples& decoded, const PixelWalk& walk, float* plane) {
  const auto* samples = static_cast<const Sample*>(decoded.samples.get());
  for (Index y = 0; y < walk.height; ++y) {
    for (Index x = 0; x < walk.width; ++x) {
      const Index pixel = walk.first + y * walk.row_step + x * walk.column_step;
      plane[y * walk.width + x] =
          static_cast<float>(samples[pixel * decoded.channels + decoded.channels - 1]) /
          static_cast<float>(std::numeric_limits<Sample>::max());
    }
  }
}

template <class Sample>
bool all_opaque(const PictureSamples& decoded) {
  const auto* alpha = static_cast<const Sample*>(decoded.samples.get()) + decoded.channels - 1;
  for (Index pixel = 0; pixel < decoded.width * decoded.height; ++pixel, alpha += decoded.channels) {
    if (*alpha != std::numeric_limits<Sample>::max()) {
      return false;
    }
  }
  return true;
}

}  // namespace

PixelWalk upright_walk(Index h, Index w, int orientation) {
  const Index last_row = (h - 1) * w, last_column = w - 1;
  switch (orientation) {
    case 2:
      return {h, w, last_column, w, -1};
    case 3:
      return {h, w, last_row + last_column, -w, -1};
    case 4:
      return {h, w, last_row, -w, 1};
    case 5:
      return {w, h, 0, 1, w};
    case 6:
      return {w, h, last_row, 1, -w};
    case 7:
      return {w, h, last_row + last_column, -1, -w};
    case 8:
      return {w, h, last_column, -1, w};
    default:
      return {h, w, 0, w, 1};
  }
}

void write_planes(const PictureSamples& samples, const PixelWalk& walk, float* planes) {
  samples.bits == 16 ? to_planes<std::uint16_t>(samples, walk, planes)
                     : to_planes<std::uint8_t>(samples, walk, planes);
}

void write_alpha(const PictureSamples& samples, const PixelWalk& walk, float* plane) {
  samples.bits == 16 ? to_alpha<std::uint16_t>(samples, walk, plane)
                     : to_alpha<std::uint8_t>(samples, walk, plane);
}

Tensor planes_of(const StoredPicture& stored) {
  Tensor picture = Tensor::empty({1, 3, stored.walk.height, stored.walk.width});
  write_planes(stored.samples, stored.walk, picture.mutable_data<float>());
  return picture;
}

Tensor alpha_of(const StoredPicture& stored) {
  Tensor alpha = Tensor::empty({1, 1, stored.walk.height, stored.walk.width});
  write_alpha(stored.samples, stored.walk, alpha.mutable_data<float>());
  return alpha;
}

bool is_opaque(const StoredPicture& stored) {
  return stored.samples.channels % 2 != 0 ||
         (stored.samples.bits == 16 ? all_opaque<std::uint16_t>(stored.samples)
                                    : all_opaque<std::uint8_t>(stored.samples));
}

}  // namespace gesso
