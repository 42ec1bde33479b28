// Any bytes are a picture of numbers in [0, 1] or a FileError.
#include "gesso/core/error.h"
#include "gesso/core/pictures/exif.h"
#include "gesso/core/pictures/picture.h"
#include "input_file.h"

// dav1d, by which libheif decodes AVIF, keeps 40 bytes of some broken files.
extern "C" const char* __lsan_default_suppressions() { return "leak:libdav1d"; }

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const int orientation = gesso::exif_orientation(bytes);
  if (orientation < 1 || orientation > 8) {
    __builtin_trap();
  }
  try {
    const gesso::Tensor picture = gesso::decode_picture(bytes, "fuzz", {.max_pixels = 1 << 18});
    const float* values = picture.data<float>();
    for (gesso::Index i = 0; i < picture.numel(); ++i) {
      if (!(values[i] >= 0 && values[i] <= 1)) {
        __builtin_trap();
      }
    }
  } catch (const gesso::FileError&) {
  } catch (const gesso::MemoryError&) {
  }
  return 0;
}
