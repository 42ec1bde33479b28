#include "gesso/core/pictures/webp.h"

#include "gesso/core/error.h"

#ifdef GESSO_HAS_WEBP
#include <webp/decode.h>
#include <webp/encode.h>
#endif

namespace gesso {

#ifdef GESSO_HAS_WEBP

namespace {

const std::uint8_t* data_of(std::string_view bytes) {
  return reinterpret_cast<const std::uint8_t*>(bytes.data());
}

}  // namespace

bool has_webp() { return true; }

std::optional<PictureSize> webp_size(std::string_view bytes) {
  int width = 0, height = 0;
  if (WebPGetInfo(data_of(bytes), bytes.size(), &width, &height) == 0) {
    return std::nullopt;
  }
  return PictureSize{width, height};
}

PictureSamples decode_webp(std::string_view bytes) {
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(data_of(bytes), bytes.size(), &features) != VP8_STATUS_OK) {
    throw Error("it has no valid header (it is truncated or corrupt)");
  }
  if (features.has_animation != 0) {
    throw Error("it is an animation; save one of its frames as a picture");
  }
  PictureSamples result;
  result.width = features.width;
  result.height = features.height;
  result.channels = features.has_alpha != 0 ? 4 : 3;
  const std::size_t row = static_cast<std::size_t>(result.width) * static_cast<std::size_t>(result.channels);
  const std::size_t size = row * static_cast<std::size_t>(result.height);
  result.samples.reset(std::malloc(size));
  auto* samples = static_cast<std::uint8_t*>(result.samples.get());
  if (samples == nullptr) {
    throw MemoryError("there is no memory for its pixels");
  }
  auto* const decode = result.channels == 4 ? &WebPDecodeRGBAInto : &WebPDecodeRGBInto;
  if ((*decode)(data_of(bytes), bytes.size(), samples, size, static_cast<int>(row)) == nullptr) {
    throw Error("it cannot be decoded (it is truncated or corrupt)");
  }
  return result;
}

std::string encode_webp_samples(const std::uint8_t* samples, PictureSize size, int channels, int quality) {
  if (size.width > WEBP_MAX_DIMENSION || size.height > WEBP_MAX_DIMENSION) {
    throw Error(concat_text("no side of a WebP may be longer than ", WEBP_MAX_DIMENSION,
                            " pixels: make it smaller or save a PNG"));
  }
  const int width = static_cast<int>(size.width), height = static_cast<int>(size.height);
  std::uint8_t* encoded = nullptr;
  auto* const encode = channels == 4 ? &WebPEncodeRGBA : &WebPEncodeRGB;
  const std::size_t bytes =
      (*encode)(samples, width, height, width * channels, static_cast<float>(quality), &encoded);
  if (bytes == 0) {
    throw Error("there is not enough memory to encode it");
  }
  std::string file(reinterpret_cast<const char*>(encoded), bytes);
  WebPFree(encoded);
  return file;
}

#else

bool has_webp() { return false; }
std::optional<PictureSize> webp_size(std::string_view) { return std::nullopt; }
PictureSamples decode_webp(std::string_view) { throw Error("this build has no libwebp"); }
std::string encode_webp_samples(const std::uint8_t*, PictureSize, int, int) {
  throw Error("this build has no libwebp");
}

#endif

}  // namespace gesso
