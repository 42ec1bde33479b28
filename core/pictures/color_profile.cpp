#include "gesso/core/pictures/color_profile.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>

#include "gesso/core/parallel.h"
#include "gesso/core/pictures/jpeg.h"

#ifdef GESSO_HAS_LCMS
#include <lcms2.h>
#include <zlib.h>
#endif

namespace gesso {
namespace {

constexpr std::size_t kLargest = std::size_t{4} << 20;

// ICC.1:2010, annex B.4: each APP2 segment has "ICC_PROFILE", its number from 1, how many there are, and a part.
std::string jpeg_profile(std::string_view file) {
  constexpr std::string_view kName{"ICC_PROFILE\0", 12};
  constexpr int kApp2 = 0xE2;
  std::map<int, std::string_view> parts;
  int count = 0;
  for (const JpegSegment& segment : read_jpeg(file, true).segments) {
    if (segment.marker == kApp2 && segment.body.size() > kName.size() + 2 &&
        segment.body.starts_with(kName)) {
      parts[static_cast<unsigned char>(segment.body[kName.size()])] = segment.body.substr(kName.size() + 2);
      count = static_cast<unsigned char>(segment.body[kName.size() + 1]);
    }
  }
  std::string profile;
  for (int part = 1; part <= count; ++part) {
    if (!parts.contains(part)) {
      return "";
    }
    profile += parts.at(part);
  }
  return profile;
}

// PNG specification, 11.3.3.3: a name, a zero, the method 0 (deflate), the packed profile.
std::string png_profile([[maybe_unused]] std::string_view file) {
#ifdef GESSO_HAS_LCMS
  const std::string_view chunk = find_png_chunk(file, "iCCP");
  const std::size_t name_end = chunk.find('\0');
  if (name_end == std::string_view::npos || name_end + 2 > chunk.size() || chunk[name_end + 1] != 0) {
    return "";
  }
  const std::string_view packed = chunk.substr(name_end + 2);
  std::string profile(kLargest, '\0');
  uLongf size = kLargest;
  if (uncompress(reinterpret_cast<Bytef*>(profile.data()), &size,
                 reinterpret_cast<const Bytef*>(packed.data()), static_cast<uLong>(packed.size())) != Z_OK) {
    return "";
  }
  profile.resize(size);
  return profile;
#else
  return "";
#endif
}

}  // namespace

std::string color_profile(std::string_view file) {
  const PictureFormat format = picture_format(file);
  std::string profile = format == PictureFormat::jpeg  ? jpeg_profile(file)
                        : format == PictureFormat::png ? png_profile(file)
                                                       : "";
  return profile.size() > kLargest ? "" : profile;
}

#ifdef GESSO_HAS_LCMS

namespace {

struct Close {
  void operator()(void* profile) const { cmsCloseProfile(profile); }
};
using Profile = std::unique_ptr<void, Close>;

struct Delete {
  void operator()(void* transform) const { cmsDeleteTransform(transform); }
};

}  // namespace

bool has_color_profiles() { return true; }

bool convert_to_srgb(PictureSamples& samples, std::string_view bytes) {
  if (samples.channels < 3) {
    return false;
  }
  const Profile profile(cmsOpenProfileFromMem(bytes.data(), static_cast<cmsUInt32Number>(bytes.size())));
  const Profile srgb(cmsCreate_sRGBProfile());
  if (!profile || !srgb || cmsGetColorSpace(profile.get()) != cmsSigRgbData) {
    return false;
  }
  const bool wide = samples.bits == 16;
  const cmsUInt32Number format =
      samples.channels == 4 ? (wide ? TYPE_RGBA_16 : TYPE_RGBA_8) : (wide ? TYPE_RGB_16 : TYPE_RGB_8);
  // Without a cache of the last colour a transform may be used by several threads.
  const std::unique_ptr<void, Delete> transform(
      cmsCreateTransform(profile.get(), format, srgb.get(), format, INTENT_RELATIVE_COLORIMETRIC,
                         cmsFLAGS_BLACKPOINTCOMPENSATION | cmsFLAGS_NOCACHE | cmsFLAGS_COPY_ALPHA));
  if (!transform) {
    return false;
  }
  auto* const pixels = static_cast<std::uint8_t*>(samples.samples.get());
  const Index row = samples.width * samples.channels * (wide ? 2 : 1);
  parallel_for(samples.height, 32, [&](Index begin, Index end) {
    for (Index y = begin; y < end; ++y) {
      cmsDoTransform(transform.get(), pixels + y * row, pixels + y * row,
                     static_cast<cmsUInt32Number>(samples.width));
    }
  });
  return true;
}

#else

bool has_color_profiles() { return false; }
bool convert_to_srgb(PictureSamples&, std::string_view) { return false; }

#endif

}  // namespace gesso
