#include "gesso/core/pictures/picture_codec.h"

#include <algorithm>
#include <cstring>
#include <limits>

#ifdef GESSO_HAS_ZLIB
#include <zlib.h>
#endif

#include "gesso/core/error.h"

namespace {

// What stb_image may allocate at once on this thread. A few bytes of compressed data can claim gigabytes; no
// honest picture needs more than its size allows.
thread_local std::size_t allocation_limit = std::numeric_limits<std::size_t>::max();

// Zeroed, because stb_image 2.27 decodes with tables that a broken file never defined.
void* allocate(std::size_t size) {
  return size <= allocation_limit ? std::calloc(1, std::max<std::size_t>(size, 1)) : nullptr;
}

void* reallocate(void* block, std::size_t size) {
  return size <= allocation_limit ? std::realloc(block, std::max<std::size_t>(size, 1)) : nullptr;
}

#ifdef GESSO_HAS_ZLIB
// stb_image_write compresses with fixed codes alone; files by zlib are a quarter smaller.
unsigned char* compress_png(unsigned char* data, int size, int* packed_size, int) {
  uLongf room = compressBound(static_cast<uLong>(size));
  auto* const packed = static_cast<unsigned char*>(std::malloc(room));
  if (packed == nullptr || compress2(packed, &room, data, static_cast<uLong>(size), 6) != Z_OK) {
    std::free(packed);
    return nullptr;
  }
  *packed_size = static_cast<int>(room);
  return packed;
}
#define STBIW_ZLIB_COMPRESS compress_png
#endif

}  // namespace

#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_JPEG
#define STBI_ONLY_PNG
#define STBI_ONLY_BMP
#define STBI_ONLY_GIF
#define STBI_NO_STDIO
#define STBI_NO_LINEAR
#define STBI_NO_HDR
#define STBI_FAILURE_USERMSG
#define STBI_ASSERT(condition) ((void)0)  // broken files must not end the program
#define STBI_MALLOC(size) allocate(size)
#define STBI_REALLOC(block, size) reallocate(block, size)
#define STBI_FREE(block) std::free(block)
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#define STBI_WRITE_NO_STDIO
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#include <stb_image.h>
#include <stb_image_write.h>
#pragma GCC diagnostic pop

namespace gesso {
namespace {

const stbi_uc* data_of(std::string_view bytes) { return reinterpret_cast<const stbi_uc*>(bytes.data()); }

int length_of(std::string_view bytes) {
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    throw Error("the file is larger than 2 GiB");
  }
  return static_cast<int>(bytes.size());
}

[[noreturn]] void fail_decoding() {
  const char* reason = stbi_failure_reason();
  throw Error(concat_text("it cannot be decoded (", reason ? reason : "corrupt", ")"));
}

void append(void* file, void* data, int size) {
  static_cast<std::string*>(file)->append(static_cast<const char*>(data), static_cast<std::size_t>(size));
}

}  // namespace

PictureSamples decode_samples(std::string_view bytes, PictureSize size) {
  // Decoding a 16-bit RGBA picture takes less than 32 bytes a pixel in one block, small ones a constant more.
  allocation_limit =
      (std::size_t{16} << 20) + 2 * bytes.size() + 32 * static_cast<std::size_t>(size.width * size.height);
  PictureSamples result;
  int width = 0, height = 0;
  if (stbi_is_16_bit_from_memory(data_of(bytes), length_of(bytes))) {
    result.bits = 16;
    result.samples.reset(
        stbi_load_16_from_memory(data_of(bytes), length_of(bytes), &width, &height, &result.channels, 0));
  } else {
    result.samples.reset(
        stbi_load_from_memory(data_of(bytes), length_of(bytes), &width, &height, &result.channels, 0));
  }
  allocation_limit = std::numeric_limits<std::size_t>::max();
  if (!result.samples) {
    fail_decoding();
  }
  result.width = width;
  result.height = height;
  return result;
}

std::string encode_png_samples(const std::uint8_t* samples, PictureSize size, int channels) {
  if ((size.width * channels + 1) * size.height > std::numeric_limits<int>::max() / 2) {
    throw Error("it has more than a gigabyte of samples");
  }
  std::string file;
  if (!stbi_write_png_to_func(append, &file, static_cast<int>(size.width), static_cast<int>(size.height),
                              channels, samples, static_cast<int>(size.width) * channels)) {
    throw Error("there is not enough memory to encode it");
  }
  return file;
}

std::string encode_jpeg_samples(const std::uint8_t* samples, PictureSize size, int channels, int quality) {
  std::string file;
  if (!stbi_write_jpg_to_func(append, &file, static_cast<int>(size.width), static_cast<int>(size.height),
                              channels, samples, quality)) {
    throw Error("it cannot be encoded");
  }
  return file;
}

}  // namespace gesso
