#include "gesso/core/pictures/tiff.h"

#include "gesso/core/error.h"

#ifdef GESSO_HAS_TIFF
#include <tiffio.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <limits>
#endif

namespace gesso {

#ifdef GESSO_HAS_TIFF

namespace {

// A file in memory as libtiff reads one, and the first thing that it complained of. Its default handlers print; these
// are of one file alone, so that a program that uses libtiff itself keeps its own.
class TiffFile {
 public:
  explicit TiffFile(std::string_view bytes, std::size_t pixels = 0) : bytes_(bytes) {
    TIFFOpenOptions* const options = TIFFOpenOptionsAlloc();
    TIFFOpenOptionsSetErrorHandlerExtR(options, note, this);
    TIFFOpenOptionsSetWarningHandlerExtR(options, ignore, nullptr);
    // A few bytes can claim gigabytes; see decode_samples().
    TIFFOpenOptionsSetMaxSingleMemAlloc(
        options, static_cast<tmsize_t>((std::size_t{16} << 20) + 2 * bytes.size() + 32 * pixels));
    tiff_ = TIFFClientOpenExt("picture", "r", this, read, write, seek, close, size, map, unmap, options);
    TIFFOpenOptionsFree(options);
  }
  ~TiffFile() {
    if (tiff_ != nullptr) {
      TIFFClose(tiff_);
    }
  }
  TiffFile(const TiffFile&) = delete;
  TiffFile& operator=(const TiffFile&) = delete;

  TIFF* get() const { return tiff_; }

  // The value of a tag, its default, or zero.
  template <class T>
  T tag(std::uint32_t name) const {
    T value{};
    return TIFFGetFieldDefaulted(tiff_, name, &value) == 1 ? value : T{};
  }

  [[noreturn]] void fail() const {
    throw Error(concat_text("it cannot be decoded (",
                            complaint_.empty() ? "it is truncated or corrupt" : complaint_, ")"));
  }

 private:
  static TiffFile& self(thandle_t handle) { return *static_cast<TiffFile*>(handle); }

  static tmsize_t read(thandle_t handle, void* to, tmsize_t count) {
    TiffFile& file = self(handle);
    const std::size_t left = file.bytes_.size() - std::min<std::size_t>(file.at_, file.bytes_.size());
    const std::size_t taken = std::min(left, static_cast<std::size_t>(std::max<tmsize_t>(count, 0)));
    if (taken > 0) {
      std::memcpy(to, file.bytes_.data() + file.at_, taken);
    }
    file.at_ += taken;
    return static_cast<tmsize_t>(taken);
  }
  static tmsize_t write(thandle_t, void*, tmsize_t) { return 0; }
  static toff_t seek(thandle_t handle, toff_t offset, int whence) {
    TiffFile& file = self(handle);
    file.at_ = offset + (whence == SEEK_SET ? 0 : whence == SEEK_CUR ? file.at_ : file.bytes_.size());
    return file.at_;
  }
  static int close(thandle_t) { return 0; }
  static toff_t size(thandle_t handle) { return self(handle).bytes_.size(); }
  // Without a mapping, libtiff 4.5 refuses tiles that are not compressed unless they have a multiple of 1024 bytes.
  static int map(thandle_t handle, void** data, toff_t* size) {
    *data = const_cast<char*>(self(handle).bytes_.data());  // it is not written to
    *size = self(handle).bytes_.size();
    return 1;
  }
  static void unmap(thandle_t, void*, toff_t) {}

  static int note(TIFF*, void* file, const char*, const char* format, std::va_list values) {
    std::string& complaint = static_cast<TiffFile*>(file)->complaint_;
    if (complaint.empty()) {
      std::array<char, 200> text{};
      std::vsnprintf(text.data(), text.size(), format, values);
      complaint = text.data();
    }
    return 1;  // said: the default handler stays silent
  }
  static int ignore(TIFF*, void*, const char*, const char*, std::va_list) { return 1; }

  std::string_view bytes_;
  toff_t at_ = 0;
  std::string complaint_;
  TIFF* tiff_ = nullptr;
};

PictureSamples empty_samples(PictureSize size, int channels, int bits) {
  PictureSamples result;
  result.width = size.width;
  result.height = size.height;
  result.channels = channels;
  result.bits = bits;
  // Cleared: libtiff leaves what a broken file does not say as it was.
  result.samples.reset(std::calloc(static_cast<std::size_t>(size.width * size.height),
                                   static_cast<std::size_t>(channels * bits / 8)));
  if (!result.samples) {
    throw MemoryError("there is no memory for its pixels");
  }
  return result;
}

// Alpha is mostly stored multiplied into the colours; PictureSamples have it beside them.
template <class Sample>
void divide_by_alpha(Sample* samples, Index pixels, int channels) {
  constexpr std::uint32_t kLargest = std::numeric_limits<Sample>::max();
  for (Index i = 0; i < pixels; ++i, samples += channels) {
    const std::uint32_t alpha = samples[channels - 1];
    for (int c = 0; alpha != 0 && alpha != kLargest && c + 1 < channels; ++c) {
      samples[c] = static_cast<Sample>(std::min(kLargest, (samples[c] * kLargest + alpha / 2) / alpha));
    }
  }
}

// How many channels there are if they are 16-bit samples that lie in strips as PictureSamples have them, else 0.
int plain_channels(const TiffFile& file) {
  const auto photometric = file.tag<std::uint16_t>(TIFFTAG_PHOTOMETRIC),
             channels = file.tag<std::uint16_t>(TIFFTAG_SAMPLESPERPIXEL),
             format = file.tag<std::uint16_t>(TIFFTAG_SAMPLEFORMAT);
  std::uint16_t extra = 0, *kinds = nullptr;
  TIFFGetFieldDefaulted(file.get(), TIFFTAG_EXTRASAMPLES, &extra, &kinds);
  const bool known = extra == 0 || (extra == 1 && kinds[0] != EXTRASAMPLE_UNSPECIFIED);
  const int colors = photometric == PHOTOMETRIC_RGB ? 3 : photometric == PHOTOMETRIC_MINISBLACK ? 1 : 0;
  const bool plain = file.tag<std::uint16_t>(TIFFTAG_BITSPERSAMPLE) == 16 &&
                     (format == SAMPLEFORMAT_UINT || format == SAMPLEFORMAT_VOID) && known && colors > 0 &&
                     channels == colors + extra && TIFFIsTiled(file.get()) == 0 &&
                     file.tag<std::uint16_t>(TIFFTAG_PLANARCONFIG) == PLANARCONFIG_CONTIG;
  return plain ? channels : 0;
}

PictureSamples decode_plain(const TiffFile& file, PictureSize size, int channels) {
  PictureSamples result = empty_samples(size, channels, 16);
  auto* const samples = static_cast<std::uint16_t*>(result.samples.get());
  const Index row = size.width * channels;
  if (TIFFScanlineSize(file.get()) != row * 2) {
    file.fail();
  }
  for (Index y = 0; y < size.height; ++y) {
    if (TIFFReadScanline(file.get(), samples + y * row, static_cast<std::uint32_t>(y)) != 1) {
      file.fail();
    }
  }
  std::uint16_t extra = 0, *kinds = nullptr;
  TIFFGetFieldDefaulted(file.get(), TIFFTAG_EXTRASAMPLES, &extra, &kinds);
  if (extra == 1 && kinds[0] == EXTRASAMPLE_ASSOCALPHA) {
    divide_by_alpha(samples, size.width * size.height, channels);
  }
  return result;
}

// Every kind of TIFF that libtiff can show.
PictureSamples decode_shown(const TiffFile& file, PictureSize size) {
  std::array<char, 1024> reason{};
  TIFFRGBAImage image;
  if (TIFFRGBAImageBegin(&image, file.get(), 1, reason.data()) != 1) {
    throw Error(concat_text("it cannot be decoded (", reason.data(), ")"));
  }
  image.orientation = image.req_orientation = ORIENTATION_TOPLEFT;  // as it is stored; it is turned later
  PictureSamples result;
  bool decoded = false;
  try {
    result = empty_samples(size, 4, 8);
    decoded = TIFFRGBAImageGet(&image, static_cast<std::uint32_t*>(result.samples.get()),
                               static_cast<std::uint32_t>(size.width),
                               static_cast<std::uint32_t>(size.height)) == 1;
  } catch (const MemoryError&) {
    TIFFRGBAImageEnd(&image);
    throw;
  }
  TIFFRGBAImageEnd(&image);
  if (!decoded) {
    file.fail();
  }
  // libtiff packs a pixel into a number, red lowest.
  auto* const samples = static_cast<std::uint8_t*>(result.samples.get());
  for (Index i = 0; i < size.width * size.height; ++i) {
    std::uint32_t pixel = 0;
    std::memcpy(&pixel, samples + 4 * i, 4);
    const std::uint8_t bytes[4] = {
        static_cast<std::uint8_t>(TIFFGetR(pixel)), static_cast<std::uint8_t>(TIFFGetG(pixel)),
        static_cast<std::uint8_t>(TIFFGetB(pixel)), static_cast<std::uint8_t>(TIFFGetA(pixel))};
    std::memcpy(samples + 4 * i, bytes, 4);
  }
  divide_by_alpha(samples, size.width * size.height, 4);
  return result;
}

}  // namespace

bool has_tiff() { return true; }

std::optional<PictureSize> tiff_size(std::string_view bytes) {
  const TiffFile file(bytes);
  if (file.get() == nullptr) {
    return std::nullopt;
  }
  const PictureSize size{file.tag<std::uint32_t>(TIFFTAG_IMAGEWIDTH),
                         file.tag<std::uint32_t>(TIFFTAG_IMAGELENGTH)};
  return size.width > 0 && size.height > 0 ? std::optional(size) : std::nullopt;
}

int tiff_orientation(std::string_view bytes) {
  const TiffFile file(bytes);
  const int orientation = file.get() == nullptr ? 1 : file.tag<std::uint16_t>(TIFFTAG_ORIENTATION);
  return orientation >= 1 && orientation <= 8 ? orientation : 1;
}

PictureSamples decode_tiff(std::string_view bytes, PictureSize size) {
  const TiffFile file(bytes, static_cast<std::size_t>(size.width * size.height));
  if (file.get() == nullptr) {
    file.fail();
  }
  if ((file.tag<std::uint32_t>(TIFFTAG_SUBFILETYPE) & FILETYPE_REDUCEDIMAGE) != 0) {
    throw Error("its first picture is a preview (of a camera's raw file, perhaps): convert it first");
  }
  const int channels = plain_channels(file);
  PictureSamples result = channels > 0 ? decode_plain(file, size, channels) : decode_shown(file, size);
  std::uint32_t length = 0;
  void* profile = nullptr;
  if (TIFFGetField(file.get(), TIFFTAG_ICCPROFILE, &length, &profile) == 1) {
    result.profile.assign(static_cast<const char*>(profile), length);
  }
  return result;
}

#else

bool has_tiff() { return false; }
std::optional<PictureSize> tiff_size(std::string_view) { return std::nullopt; }
int tiff_orientation(std::string_view) { return 1; }
PictureSamples decode_tiff(std::string_view, PictureSize) { throw Error("this build has no libtiff"); }

#endif

}  // namespace gesso
