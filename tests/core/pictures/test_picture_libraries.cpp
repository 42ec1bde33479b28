// TIFF, HEIC and AVIF: in builds with libtiff and libheif, pictures; in others, a word that names the package.
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <map>

#include "files.h"
#include "gesso/core/files/file.h"
#include "gesso/core/pictures/color_profile.h"
#include "gesso/core/pictures/exif.h"
#include "gesso/core/pictures/heif.h"
#include "gesso/core/pictures/picture.h"
#include "gesso/core/pictures/tiff.h"
#include "paths.h"
#include "picture_files.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

using Pixel = std::vector<double>;

std::string data_file(const std::string& name) { return read_file(source_path("tests/data/") + name); }

Tensor load(const std::string& bytes) { return decode_picture(bytes, "picture"); }

Pixel pixel(const Tensor& x, Index row, Index column) {
  return {x.at({0, 0, row, column}), x.at({0, 1, row, column}), x.at({0, 2, row, column})};
}

bool close(const Pixel& a, const Pixel& b, double within = 1e-6) {
  return std::fabs(a[0] - b[0]) < within && std::fabs(a[1] - b[1]) < within &&
         std::fabs(a[2] - b[2]) < within;
}

// Whether it is a picture of sane values; else it must be a FileError with the name.
bool decodes(const std::string& bytes) {
  try {
    const Tensor x = decode_picture(bytes, "broken", {.max_pixels = 1 << 18});
    CHECK(is_in_range(x));
    return true;
  } catch (const FileError& error) {
    CHECK(std::string(error.what()).starts_with("cannot load picture 'broken': "));
    CHECK(std::string(error.what()).find('\n') == std::string::npos);
    return false;
  } catch (const MemoryError&) {
    return false;
  }
}

// The numbers in the byte order of a file.
std::string shorts(const std::vector<std::uint32_t>& numbers, bool little_endian = true) {
  std::string text;
  for (const std::uint32_t number : numbers) {
    (little_endian ? append_little_endian : append_big_endian)(text, number, 2);
  }
  return text;
}

// 3 x 2 pixels, no two alike.
const std::string kRgb("\x00\x33\x66\x99\xCC\xFF\xFF\x00\x00\x10\x20\x30\x40\x50\x60\x70\x80\x90", 18);
const std::vector<std::uint32_t> kEight = {8, 8, 8}, kSixteen = {16, 16, 16};

// The tags of a picture of one square tile instead of a strip, which begins at byte 8.
std::map<std::uint32_t, TiffValue> tiles_of(std::uint32_t side) {
  return {{273, {4, {}}},
          {278, {4, {}}},
          {279, {4, {}}},
          {322, {4, {side}}},
          {323, {4, {side}}},
          {324, {4, {8}}},
          {325, {4, {side * side * 3}}}};
}

// What goes to standard error while `work` runs.
template <class Work>
std::string printed_by(Work work) {
  const TemporaryFolder folder;
  std::fflush(stderr);
  const int before = dup(STDERR_FILENO);
  std::FILE* const file = std::fopen((folder / "stderr").c_str(), "w");
  dup2(fileno(file), STDERR_FILENO);
  work();
  std::fflush(stderr);
  dup2(before, STDERR_FILENO);
  ::close(before);
  std::fclose(file);
  return read_file(folder / "stderr");
}

}  // namespace

TEST_CASE("a format whose library is missing names the package" * doctest::skip(has_tiff() && has_heif())) {
  const auto refused = [](const std::string& bytes, const char* text) {
    CHECK_THROWS_WITH_AS(load(bytes), doctest::Contains(text), FileError);
  };
  if (!has_tiff()) {
    refused(make_tiff(3, 2, kEight, 2, kRgb),
            "it is TIFF, and this gesso was built without libtiff 4.5 or newer: ");
    CHECK_FALSE(has_picture_ending("a.tif"));
  }
  if (!has_heif()) {
    refused(data_file("turned.heic"),
            "it is HEIC, and this gesso was built without libheif: install it (Debian: libheif-dev)");
    refused(data_file("plain.avif"), "it is AVIF, and this gesso was built without libheif");
    CHECK_FALSE(has_picture_ending("a.avif"));
  }
}

TEST_CASE("endings: what is read, and what is written") {
  CHECK(has_picture_ending("a.TIF") == has_tiff());
  CHECK(has_picture_ending("a.tiff") == has_tiff());
  for (const char* name : {"a.heic", "a.HEIF", "a.avif"}) {
    CHECK(has_picture_ending(name) == has_heif());
  }
  const TemporaryFolder folder;
  for (const char* name : {"a.tif", "a.tiff", "a.heic", "a.avif", "a.gif", "a.bmp"}) {
    CHECK_FALSE(has_writable_ending(name));
    CHECK_THROWS_WITH_AS(save_picture(folder / name, Tensor::zeros({1, 3, 4, 4})),
                         doctest::Contains("PNG, JPEG, WebP and PPM are what gesso writes"), ArgumentError);
  }
  CHECK(has_writable_ending("a.JPEG"));
}

TEST_CASE("TIFF: 8 and 16 bits, gray and colour, in both byte orders" * doctest::skip(!has_tiff())) {
  for (const bool little : {true, false}) {
    CAPTURE(little);
    Tensor x = load(make_tiff(3, 2, kEight, 2, kRgb, {}, little));
    REQUIRE(x.shape() == Shape{1, 3, 2, 3});
    CHECK(close(pixel(x, 0, 0), {0, 0.2, 0.4}));
    CHECK(close(pixel(x, 0, 2), {1, 0, 0}));
    CHECK(close(pixel(x, 1, 1), {0x40 / 255.0, 0x50 / 255.0, 0x60 / 255.0}));
    // Below what 8 bits can tell.
    x = load(make_tiff(1, 2, kSixteen, 2, shorts({0x1234, 1, 65535, 0, 0, 2}, little), {}, little));
    CHECK(close(pixel(x, 0, 0), {0x1234 / 65535.0, 1 / 65535.0, 1}, 1e-7));
    CHECK(close(pixel(x, 1, 0), {0, 0, 2 / 65535.0}, 1e-7));
    x = load(make_tiff(2, 1, {16}, 1, shorts({0x8001, 3}, little), {}, little));
    CHECK(close(pixel(x, 0, 0), Pixel(3, 0x8001 / 65535.0), 1e-7));
    CHECK(close(pixel(x, 0, 1), Pixel(3, 3 / 65535.0), 1e-7));
  }
  CHECK(close(pixel(load(make_tiff(2, 1, {8}, 1, "\x33\xFF")), 0, 0), {0.2, 0.2, 0.2}));
  const Tensor white = load(make_tiff(10, 1, {1}, 0, "\xA5\x40"));  // fax: 1 is black
  CHECK(white.at({0, 1, 0, 0}) == 0);
  CHECK(white.at({0, 1, 0, 1}) == 1);
}

TEST_CASE("TIFF: alpha, beside the colours or multiplied into them" * doctest::skip(!has_tiff())) {
  const TemporaryFolder folder;
  const auto with_alpha = [&](const std::vector<std::uint32_t>& bits, const std::string& pixels,
                              std::uint32_t kind) {
    write_bytes(folder / "a.tif", make_tiff(2, 1, bits, 2, pixels, {{338, {2, {kind}}}}));
    return std::pair(load_picture(folder / "a.tif"), load_transparency(folder / "a.tif"));
  };
  const std::vector<std::uint32_t> eight(4, 8), sixteen(4, 16);
  // Red of alpha 0.6, opaque green. Over white: 0.6 red + 0.4.
  const std::string beside("\xFF\x00\x00\x99\x00\xFF\x00\xFF", 8),
      multiplied("\x99\x00\x00\x99\x00\xFF\x00\xFF", 8);
  for (const auto& [x, alpha] :
       {with_alpha(eight, beside, 2), with_alpha(eight, multiplied, 1),
        with_alpha(sixteen, shorts({65535, 0, 0, 0x9999, 0, 65535, 0, 65535}), 2),
        with_alpha(sixteen, shorts({0x9999, 0, 0, 0x9999, 0, 65535, 0, 65535}), 1)}) {
    CHECK(close(pixel(x, 0, 0), {1, 0.4, 0.4}, 0.003));
    CHECK(close(pixel(x, 0, 1), {0, 1, 0}));
    REQUIRE(alpha.defined());
    CHECK(alpha.at({0, 0, 0, 0}) == doctest::Approx(0.6).epsilon(1e-5));
    CHECK(alpha.at({0, 0, 0, 1}) == 1);
  }
}

TEST_CASE("TIFF: palettes, CMYK, tiles" * doctest::skip(!has_tiff())) {
  std::vector<std::uint32_t> map(3 * 256, 0);  // all reds, all greens, all blues
  map[1] = 65535;
  map[256 + 2] = 0x3333;
  Tensor x = load(make_tiff(3, 1, {8}, 3, std::string("\x01\x02\x00", 3), {{320, {2, map}}}));
  CHECK(close(pixel(x, 0, 0), {1, 0, 0}));
  CHECK(close(pixel(x, 0, 1), {0, 0.2, 0}));
  CHECK(close(pixel(x, 0, 2), {0, 0, 0}));

  x = load(make_tiff(2, 1, {8, 8, 8, 8}, 5, std::string("\xFF\x00\x00\x00\x00\x00\x33\x80", 8)));
  CHECK(close(pixel(x, 0, 0), {0, 1, 1}));
  CHECK(close(pixel(x, 0, 1), {127 / 255.0, 127 / 255.0, 127 * 0.8 / 255}, 0.005));

  std::string tile(16 * 16 * 3, '\0');
  tile.replace(0, 9, kRgb, 0, 9);
  tile.replace(16 * 3, 9, kRgb, 9, 9);
  x = load(make_tiff(3, 2, kEight, 2, tile, tiles_of(16)));
  CHECK(identical(x, load(make_tiff(3, 2, kEight, 2, kRgb))));
}

TEST_CASE("TIFF: all eight orientations, and the size that is shown" * doctest::skip(!has_tiff())) {
  const TemporaryFolder folder;
  const Tensor stored = load(make_tiff(3, 2, kEight, 2, kRgb));
  for (std::uint32_t orientation = 1; orientation <= 8; ++orientation) {
    CAPTURE(orientation);
    const std::string file =
        make_tiff(3, 2, kEight, 2, kRgb, {{274, {2, {orientation}}}}, orientation % 2 == 0);
    CHECK(exif_orientation(file) == static_cast<int>(orientation));
    const Tensor shown = load(file);
    REQUIRE(shown.shape() == (orientation <= 4 ? Shape{1, 3, 2, 3} : Shape{1, 3, 3, 2}));
    write_bytes(folder / "a.tif", file);
    CHECK(read_picture_size(folder / "a.tif") == Size2d(shown.size(2), shown.size(3)));
    for (Index row = 0; row < 2; ++row) {
      for (Index column = 0; column < 3; ++column) {
        const Index down = 1 - row, right = 2 - column;
        const Index seen[8][2] = {{row, column}, {row, right},   {down, right}, {down, column},
                                  {column, row}, {column, down}, {right, down}, {right, row}};
        const auto& at = seen[orientation - 1];
        REQUIRE(pixel(shown, at[0], at[1]) == pixel(stored, row, column));
      }
    }
  }
  CHECK(exif_orientation(make_tiff(3, 2, kEight, 2, kRgb, {{274, {2, {99}}}})) == 1);
}

TEST_CASE("TIFF: its colour profile counts" * doctest::skip(!has_tiff())) {
  std::vector<std::uint32_t> profile;
  for (const char byte : data_file("linear_srgb.icc")) {
    profile.push_back(static_cast<unsigned char>(byte));
  }
  const Tensor x = load(make_tiff(1, 1, kEight, 2, "\x80\x80\x80", {{34675, {1, profile}}}));
  CHECK(pixel(x, 0, 0)[1] == doctest::Approx(has_color_profiles() ? 0.735 : 0.502).epsilon(0.01));
}

TEST_CASE("TIFF: what is broken, too large or of another kind is an error, and nothing is printed" *
          doctest::skip(!has_tiff())) {
  const auto refused = [](const std::string& bytes, const char* text) {
    CHECK_THROWS_WITH_AS(load(bytes), doctest::Contains(text), FileError);
  };
  std::size_t shown = 0, broken = 0;
  const std::string printed = printed_by([&] {
    refused(std::string("II*\0", 4), "no valid header");
    refused(make_tiff(30000, 30000, kEight, 2, kRgb),
            "it has 30000 x 30000 pixels, more than the limit of 100000000");
    refused(make_tiff(3, 200, kEight, 2, kRgb), "it cannot be decoded");  // rows are missing
    refused(make_tiff(3, 200, kSixteen, 2, kRgb), "it cannot be decoded");
    refused(make_tiff(1, 1, {32}, 1, "abcd", {{339, {2, {3}}}}), "32-bit samples");
    refused(make_tiff(3, 2, kEight, 2, kRgb, {{259, {2, {34676}}}}),
            "it cannot be decoded");  // LogLuv of RGB
    refused(make_tiff(3, 2, kEight, 2, kRgb, {{254, {4, {1}}}}), "its first picture is a preview");
    // A tile of four gigapixels.
    refused(make_tiff(3, 2, kEight, 2, kRgb, tiles_of(65536)), "it cannot be decoded");
    const std::string files[] = {make_tiff(3, 2, kEight, 2, kRgb),
                                 make_tiff(3, 1, kSixteen, 2, kRgb, {}, false)};
    Generator rng(41);
    for (const std::string& file : files) {
      for (std::size_t size = 0; size < file.size(); ++size) {
        (decodes(file.substr(0, size)) ? shown : broken) += 1;
      }
      for (int round = 0; round < 1500; ++round) {
        std::string flipped = file;
        for (Index flips = 1 + rng.below(3); flips > 0; --flips) {
          flipped[rng.below(static_cast<Index>(file.size()))] = static_cast<char>(rng.below(256));
        }
        (decodes(flipped) ? shown : broken) += 1;
      }
    }
  });
  CHECK(printed == "");
  CHECK(shown > 100);
  CHECK(broken > 100);
}

// The patches of the files in tests/data, which libheif wrote: 24 x 16 pixels, four colours.
namespace {
const Pixel kTopLeft = {220 / 255.0, 40 / 255.0, 30 / 255.0},
            kTopRight = {40 / 255.0, 200 / 255.0, 60 / 255.0},
            kBottomLeft = {30 / 255.0, 60 / 255.0, 210 / 255.0}, kBottomRight = Pixel(3, 240 / 255.0);
}  // namespace

TEST_CASE("AVIF: 8 and 10 bits, alpha" * doctest::skip(!has_heif())) {
  for (const char* name : {"plain.avif", "deep.avif"}) {
    CAPTURE(name);
    const Tensor x = load(data_file(name));
    REQUIRE(x.shape() == Shape{1, 3, 16, 24});
    CHECK(close(pixel(x, 3, 3), kTopLeft, 0.012));
    CHECK(close(pixel(x, 3, 20), kTopRight, 0.012));
    CHECK(close(pixel(x, 12, 3), kBottomLeft, 0.012));
    CHECK(close(pixel(x, 12, 20), kBottomRight, 0.012));
  }
  const std::string path = source_path("tests/data/transparent.avif");
  const Tensor alpha = load_transparency(path);  // the last patch is transparent
  REQUIRE(alpha.defined());
  CHECK(alpha.at({0, 0, 12, 20}) < 0.01);
  CHECK(alpha.at({0, 0, 3, 3}) > 0.99);
  CHECK(close(pixel(load_picture(path), 12, 20), {1, 1, 1}, 0.01));
  CHECK(close(pixel(load_picture(path), 3, 3), kTopLeft, 0.012));
  CHECK_FALSE(load_transparency(source_path("tests/data/plain.avif")).defined());
}

TEST_CASE("HEIC: turned as the file says, once" * doctest::skip(!has_heif())) {
  const std::string path = source_path("tests/data/turned.heic");  // to be turned clockwise
  const Tensor x = load_picture(path);
  REQUIRE(x.shape() == Shape{1, 3, 24, 16});
  CHECK(read_picture_size(path) == Size2d(24, 16));
  CHECK(close(pixel(x, 3, 12), kTopLeft, 0.02));
  CHECK(close(pixel(x, 20, 12), kTopRight, 0.02));
  CHECK(close(pixel(x, 3, 3), kBottomLeft, 0.02));
  CHECK(close(pixel(x, 20, 3), kBottomRight, 0.02));
}

TEST_CASE("HEIC and AVIF: what is broken or too large is an error" * doctest::skip(!has_heif())) {
  const std::string files[] = {data_file("turned.heic"), data_file("plain.avif"),
                               data_file("transparent.avif")};
  std::size_t broken = 0;
  CHECK_THROWS_WITH_AS(decode_picture(files[0], "a.heic", {.max_pixels = 383}),
                       doctest::Contains("'a.heic': it has 16 x 24 pixels"), FileError);
  CHECK_THROWS_WITH_AS(load(std::string("\0\0\0\x10"
                                        "ftypheic\0\0\0\0",
                                        16)),
                       doctest::Contains("no valid header"), FileError);
  Generator rng(42);
  for (const std::string& file : files) {
    for (std::size_t size = 0; size < file.size(); size += 5) {
      broken += decodes(file.substr(0, size)) ? 0 : 1;
    }
    for (int round = 0; round < 150; ++round) {
      std::string flipped = file;
      flipped[rng.below(static_cast<Index>(file.size()))] = static_cast<char>(rng.below(256));
      broken += decodes(flipped) ? 0 : 1;
    }
  }
  CHECK(broken > 100);
}
