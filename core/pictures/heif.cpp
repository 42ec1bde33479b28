#include "gesso/core/pictures/heif.h"

#include "gesso/core/error.h"

#ifdef GESSO_HAS_HEIF
#include <libheif/heif.h>

#include <algorithm>
#include <cstring>
#endif

namespace gesso {

#ifdef GESSO_HAS_HEIF

namespace {

template <auto free_it>
struct Release {
  template <class T>
  void operator()(T* owned) const {
    free_it(owned);
  }
};
using Context = std::unique_ptr<heif_context, Release<heif_context_free>>;
using Handle = std::unique_ptr<heif_image_handle, Release<heif_image_handle_release>>;
using Image = std::unique_ptr<heif_image, Release<heif_image_release>>;

void check(const heif_error& error) {
  if (error.code != heif_error_Ok) {
    throw Error(concat_text("it cannot be decoded (", error.message, ")"));
  }
}

// The main picture in a file; its bytes must outlive it.
struct Opened {
  explicit Opened(std::string_view bytes) : context(heif_context_alloc()) {
    check(heif_context_read_from_memory_without_copy(context.get(), bytes.data(), bytes.size(), nullptr));
    heif_image_handle* main = nullptr;
    check(heif_context_get_primary_image_handle(context.get(), &main));
    handle.reset(main);
  }
  PictureSize size() const {
    return {heif_image_handle_get_width(handle.get()), heif_image_handle_get_height(handle.get())};
  }

  Context context;
  Handle handle;
};

// libheif may have been packaged without a decoder for what the file holds.
void require_decoder(std::string_view bytes) {
  const bool avif = picture_name(bytes) == "AVIF";
  if (heif_have_decoder_for_format(avif ? heif_compression_AV1 : heif_compression_HEVC) == 0) {
    throw Error(
        avif
            ? "libheif has no decoder for AVIF: install one (Debian: libheif-plugin-dav1d), or convert it first"
            : "libheif has no decoder for HEIC: install one (Debian: libheif-plugin-libde265), or convert it "
              "first");
  }
}

// PictureSamples of `bits` in 16, little endian, to the full range of 16.
void widen(const std::uint8_t* from, std::uint16_t* to, Index count, int bits) {
  const std::uint32_t largest = (1u << bits) - 1;
  for (Index i = 0; i < count; ++i) {
    const std::uint32_t value = from[2 * i] | static_cast<std::uint32_t>(from[2 * i + 1]) << 8;
    to[i] = static_cast<std::uint16_t>((std::min(value, largest) * 65535 + largest / 2) / largest);
  }
}

}  // namespace

bool has_heif() { return true; }

std::optional<PictureSize> heif_size(std::string_view bytes) {
  try {
    const PictureSize size = Opened(bytes).size();
    return size.width > 0 && size.height > 0 ? std::optional(size) : std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
}

PictureSamples decode_heif(std::string_view bytes) {
  const Opened file(bytes);
  require_decoder(bytes);
  const bool alpha = heif_image_handle_has_alpha_channel(file.handle.get()) != 0;
  const bool wide = heif_image_handle_get_luma_bits_per_pixel(file.handle.get()) > 8;
  heif_image* decoded = nullptr;
  check(heif_decode_image(
      file.handle.get(), &decoded, heif_colorspace_RGB,
      wide ? (alpha ? heif_chroma_interleaved_RRGGBBAA_LE : heif_chroma_interleaved_RRGGBB_LE)
           : (alpha ? heif_chroma_interleaved_RGBA : heif_chroma_interleaved_RGB),
      nullptr));
  const Image image(decoded);
  PictureSamples result;
  result.width = heif_image_get_width(image.get(), heif_channel_interleaved);
  result.height = heif_image_get_height(image.get(), heif_channel_interleaved);
  result.channels = alpha ? 4 : 3;
  result.bits = wide ? 16 : 8;
  const PictureSize announced = file.size();  // it is what the limits were checked against
  if (result.width != announced.width || result.height != announced.height) {
    throw Error("its header states another size than the picture in it has (it is corrupt)");
  }
  int stride = 0;
  const std::uint8_t* rows = heif_image_get_plane_readonly(image.get(), heif_channel_interleaved, &stride);
  const Index row = result.width * result.channels;
  const std::size_t row_bytes = static_cast<std::size_t>(row) * (wide ? 2 : 1);
  result.samples.reset(std::malloc(row_bytes * static_cast<std::size_t>(result.height)));
  if (!result.samples || rows == nullptr) {
    throw MemoryError("there is no memory for its pixels");
  }
  const int bits = heif_image_get_bits_per_pixel_range(image.get(), heif_channel_interleaved);
  auto* to = static_cast<std::uint8_t*>(result.samples.get());
  for (Index y = 0; y < result.height; ++y, rows += stride, to += row_bytes) {
    if (wide) {
      widen(rows, reinterpret_cast<std::uint16_t*>(to), row, bits);
    } else {
      std::memcpy(to, rows, row_bytes);
    }
  }
  result.profile.resize(heif_image_handle_get_raw_color_profile_size(file.handle.get()));
  if (!result.profile.empty()) {
    heif_image_handle_get_raw_color_profile(file.handle.get(), result.profile.data());
  }
  return result;
}

#else

bool has_heif() { return false; }
std::optional<PictureSize> heif_size(std::string_view) { return std::nullopt; }
PictureSamples decode_heif(std::string_view) { throw Error("this build has no libheif"); }

#endif

}  // namespace gesso
