// Pictures: what is saved is loaded back; every kind of file that is promised; broken files are errors.
#include "gesso/core/pictures/picture.h"

#include <cmath>
#include <limits>
#include <thread>

#include "files.h"
#include "gesso/core/files/checksum.h"
#include "gesso/core/files/file.h"
#include "gesso/core/parallel.h"
#include "gesso/core/pictures/color_profile.h"
#include "gesso/core/pictures/exif.h"
#include "gesso/core/pictures/webp.h"
#include "paths.h"
#include "picture_files.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

// Numbers k / 255, so that 8 bits hold them exactly.
Tensor eight_bit_picture(Index height, Index width, Index channels = 3) {
  Generator rng(17);
  Tensor x = Tensor::empty({1, channels, height, width});
  float* values = x.mutable_data<float>();
  for (Index i = 0; i < x.numel(); ++i) {
    values[i] = static_cast<float>(rng.below(256)) / 255.0f;
  }
  return x;
}

// What a decoder may do with broken bytes: make a picture of sane values, or throw a FileError.
bool decodes(const std::string& bytes) {
  Tensor x;
  try {
    x = decode_picture(bytes, "broken");
  } catch (const FileError& error) {
    CHECK(std::string(error.what()).find("cannot load picture 'broken': ") == 0);
    return false;
  }
  REQUIRE(x.rank() == 4);
  CHECK(is_in_range(x));
  return true;
}

std::vector<double> pixel(const Tensor& x, Index row, Index column) {
  return {x.at({0, 0, row, column}), x.at({0, 1, row, column}), x.at({0, 2, row, column})};
}

std::string data_file(const std::string& name) { return read_file(source_path("tests/data/") + name); }

}  // namespace

TEST_CASE("PNG gives back 8-bit pictures exactly, for odd sizes and one or three channels") {
  const TemporaryFolder folder;
  const std::string path = folder / "picture.png";
  for (const auto& [height, width] : {std::pair{1, 1}, {1, 7}, {9, 1}, {33, 70}}) {
    CAPTURE(height);
    CAPTURE(width);
    const Tensor x = eight_bit_picture(height, width);
    save_picture(path, x);
    CHECK(identical(load_picture(path), x));
    save_picture(path, x.reshape({3, height, width}).to(float64));
    CHECK(identical(load_picture(path), x));
    const Tensor gray = eight_bit_picture(height, width, 1);
    save_picture(path, gray);
    const Tensor loaded = load_picture(path);
    REQUIRE(loaded.shape() == Shape{1, 3, height, width});
    for (Index c = 0; c < 3; ++c) {
      CHECK(identical(loaded.alias({1, 1, height, width}, c * height * width), gray));
    }
  }
  CHECK(folder.entries() == 1);
}

TEST_CASE("values are clamped and rounded to the nearest of 256") {
  const Tensor x =
      Tensor::from({-3, 0, 0.49 / 255, 0.51 / 255, 100.4 / 255, 254.6 / 255, 1, 1e30}, {1, 1, 8});
  const Tensor y = decode_picture(encode_png(x), "memory");
  const double expected[] = {0, 0, 0, 1, 100, 255, 255, 255};
  for (int i = 0; i < 8; ++i) {
    CHECK(y.at({0, 2, 0, i}) == doctest::Approx(expected[i] / 255));
  }
}

TEST_CASE("JPEG gives back smooth pictures closely, closer at higher quality") {
  const TemporaryFolder folder;
  const Tensor x = smooth_picture(50, 77);
  double coarse = 0;
  for (const int quality : {20, 92}) {
    save_picture(folder / "p.JPEG", x, {.jpeg_quality = quality});
    const double difference = largest_difference(load_picture(folder / "p.JPEG"), x);
    if (quality == 92) {
      CHECK(difference < 0.03);
      CHECK(difference < coarse);
    }
    coarse = difference;
  }
  CHECK(read_file(folder / "p.JPEG") == encode_jpeg(x));
  const Tensor gray = smooth_picture(20, 20).alias({1, 1, 20, 20});
  CHECK(largest_difference(decode_picture(encode_jpeg(gray), "m").alias({1, 1, 20, 20}), gray) < 0.03);
}

TEST_CASE("what cannot be saved is named") {
  const TemporaryFolder folder;
  const Tensor x = Tensor::zeros({1, 3, 4, 4});
  CHECK_THROWS_WITH_AS(save_picture(folder / "x.gif", x), doctest::Contains("must end in .png"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(save_picture(folder / "png", x), doctest::Contains("must end in .png"), ArgumentError);
  CHECK_THROWS_WITH_AS(save_picture(folder / "x.png", Tensor::zeros({2, 3, 4, 4})),
                       doctest::Contains("shape (2, 3, 4, 4)"), ArgumentError);
  CHECK_THROWS_AS(save_picture(folder / "x.png", Tensor::zeros({1, 2, 4, 4})), ArgumentError);
  CHECK_THROWS_AS(save_picture(folder / "x.png", Tensor::zeros({4, 4})), ArgumentError);
  CHECK_THROWS_AS(save_picture(folder / "x.png", Tensor::zeros({1, 3, 0, 4})), ArgumentError);
  CHECK_THROWS_AS(save_picture(folder / "x.png", Tensor()), ArgumentError);
  CHECK_THROWS_WITH_AS(save_picture(folder / "x.jpg", x, {.jpeg_quality = 0}),
                       doctest::Contains("quality is 0"), ArgumentError);
  CHECK_THROWS_AS(encode_jpeg(x, 101), ArgumentError);
  Tensor nan = Tensor::zeros({3, 4, 4});
  nan.set({1, 2, 3}, std::numeric_limits<double>::quiet_NaN());
  CHECK_THROWS_WITH_AS(save_picture(folder / "x.png", nan), doctest::Contains("NaN"), ArgumentError);
  CHECK_THROWS_WITH_AS(encode_jpeg(Tensor::zeros({1, 1, 1, 65536})), doctest::Contains("65535"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(save_picture(folder / "no/x.png", x), doctest::Contains("does not exist"), FileError);
  CHECK(folder.entries() == 0);
}

TEST_CASE("gray, 16-bit, 1-bit, palette and transparent PNG files") {
  const double half = 128.0 / 255;
  const auto load = [](const std::string& bytes) { return decode_picture(bytes, "test.png"); };
  using Pixel = std::vector<double>;
  const auto close = [](const Pixel& a, const Pixel& b) {
    return std::fabs(a[0] - b[0]) + std::fabs(a[1] - b[1]) + std::fabs(a[2] - b[2]) < 1e-6;
  };

  Tensor x = load(make_png(2, 2, 8, kPngGray, {{'\x00', '\x80'}, {'\xFF', '\x33'}}));
  CHECK(close(pixel(x, 0, 1), {half, half, half}));
  CHECK(close(pixel(x, 1, 1), {0.2, 0.2, 0.2}));

  x = load(make_png(10, 1, 1, kPngGray, {"\xA5\x40"}));
  CHECK(x.slice(0, 1).to_vector()[0] == 1);
  CHECK(x.to_vector()[1] == 0);
  CHECK(x.to_vector()[9] == 1);

  x = load(make_png(1, 2, 16, kPngRgb, {std::string("\x12\x34\x00\x01\xFF\xFF", 6), std::string(6, '\0')}));
  CHECK(close(pixel(x, 0, 0), {0x1234 / 65535.0, 1 / 65535.0, 1}));
  CHECK(x.at({0, 1, 0, 0}) > 0);  // below what 8 bits can tell from 0

  const std::string palette = png_chunk("PLTE", {"\xFF\x00\x00\x00\x80\x00", 6});
  x = load(make_png(2, 1, 8, kPngPalette, {std::string("\x01\x00", 2)}, palette));
  CHECK(close(pixel(x, 0, 0), {0, half, 0}));
  CHECK(close(pixel(x, 0, 1), {1, 0, 0}));

  x = load(make_png(2, 1, 8, kPngPalette, {std::string("\x01\x00", 2)}, palette + png_chunk("tRNS", "\x80")));
  CHECK(close(pixel(x, 0, 0), {0, half, 0}));
  CHECK(close(pixel(x, 0, 1), {1, 1 - half, 1 - half}));  // half transparent red over white

  x = load(make_png(3, 1, 8, kPngRgba,
                    {std::string("\x80\x00\xFF\x00"
                                 "\x80\x00\xFF\xFF"
                                 "\x80\x00\xFF\x33",
                                 12)}));
  CHECK(close(pixel(x, 0, 0), {1, 1, 1}));
  CHECK(close(pixel(x, 0, 1), {half, 0, 1}));
  CHECK(close(pixel(x, 0, 2), {half * 0.2 + 0.8, 0.8, 1}));

  x = load(make_png(1, 1, 16, kPngGrayAlpha, {std::string("\x00\x00\x33\x33", 4)}));
  CHECK(close(pixel(x, 0, 0), {0.8, 0.8, 0.8}));
}

TEST_CASE("BMP files, rows from bottom to top") {
  const Tensor x =
      decode_picture(make_bmp(3, 2, {0xFF0000, 0x00FF00, 0x0000FF, 0x102030, 0, 0xFFFFFF}), "x.bmp");
  REQUIRE(x.shape() == Shape{1, 3, 2, 3});
  CHECK(pixel(x, 0, 0) == std::vector<double>{1, 0, 0});
  CHECK(pixel(x, 0, 2) == std::vector<double>{0, 0, 1});
  CHECK(x.at({0, 1, 1, 0}) == doctest::Approx(0x20 / 255.0));
}

TEST_CASE("a progressive JPEG with the same coefficients shows the same picture") {
  const Tensor baseline = decode_picture(data_file("baseline.jpg"), "baseline");
  CHECK(baseline.shape() == Shape{1, 3, 37, 45});
  CHECK(baseline.at({0, 1, 20, 40}) == doctest::Approx(40.0 / 44).epsilon(0.05));
  CHECK(identical(decode_picture(data_file("progressive.jpg"), "progressive"), baseline));
}

TEST_CASE("all eight EXIF orientations, in both byte orders") {
  const Tensor x = smooth_picture(24, 40);
  const std::string plain = encode_jpeg(x, 100);
  const Tensor stored = decode_picture(plain, "plain");
  const Index last_row = 23, last_column = 39;
  for (const bool little_endian : {false, true}) {
    for (int orientation = 1; orientation <= 8; ++orientation) {
      CAPTURE(orientation);
      const std::string file = with_segment(plain, exif_segment(orientation, little_endian));
      CHECK(exif_orientation(file) == orientation);
      const Tensor shown = decode_picture(file, "turned");
      REQUIRE(shown.shape() == (orientation <= 4 ? Shape{1, 3, 24, 40} : Shape{1, 3, 40, 24}));
      for (Index row = 0; row <= last_row; ++row) {
        for (Index column = 0; column <= last_column; ++column) {
          // EXIF 2.3, 4.6.4: where stored row 0 and column 0 are in the picture as it is seen.
          const Index down = last_row - row, right = last_column - column;
          const Index seen[8][2] = {{row, column}, {row, right},   {down, right}, {down, column},
                                    {column, row}, {column, down}, {right, down}, {right, row}};
          const auto& at = seen[orientation - 1];
          REQUIRE(pixel(shown, at[0], at[1]) == pixel(stored, row, column));
        }
      }
    }
  }
}

TEST_CASE("EXIF data that makes no sense means upright, wherever it is cut or flipped") {
  const std::string plain = encode_jpeg(smooth_picture(8, 12));
  CHECK(exif_orientation(plain) == 1);
  CHECK(exif_orientation("") == 1);
  CHECK(exif_orientation("\xFF\xD8") == 1);
  for (const int nonsense : {0, 9, 65535}) {
    CHECK(exif_orientation(with_segment(plain, exif_segment(nonsense, true))) == 1);
  }
  const std::string file = with_segment(plain, exif_segment(6, false));
  for (std::size_t cut = 0; cut < 60; ++cut) {
    const int orientation = exif_orientation(file.substr(0, cut));
    CHECK((orientation == 1 || orientation == 6));
  }
  // Directory offsets that point outside, at the last bytes, and counts that are far too large.
  const std::size_t tiff = 2 + 4 + 6;
  for (const std::uint32_t offset : {0u, 7u, 44u, 45u, 1000u, 0x7FFFFFFFu, 0xFFFFFFFEu, 0xFFFFFFFFu}) {
    std::string hostile = file, bytes;
    append_big_endian(bytes, offset, 4);
    hostile.replace(tiff + 4, 4, bytes);
    CHECK(exif_orientation(hostile) >= 1);
    CHECK(exif_orientation(hostile) <= 8);
  }
  std::string many = file;
  many.replace(tiff + 8, 2, "\xFF\xFF");
  CHECK(exif_orientation(many) == 6);
  Generator rng(5);
  for (int i = 0; i < 2000; ++i) {
    std::string flipped = file;
    flipped[2 + rng.below(50)] ^= static_cast<char>(1 << rng.below(8));
    const int orientation = exif_orientation(flipped);
    REQUIRE((orientation >= 1 && orientation <= 8));
  }
}

TEST_CASE("files that are not pictures are named with the reason") {
  const TemporaryFolder folder;
  const auto reason = [&](const std::string& bytes) {
    write_bytes(folder / "file.jpg", bytes);
    try {
      load_picture(folder / "file.jpg");
    } catch (const FileError& error) {
      return std::string(error.what());
    }
    return std::string("loaded");
  };
  CHECK(reason("").find("file.jpg': it is empty") != std::string::npos);
  CHECK(reason("some text").find("it is not a JPEG, PNG, BMP, GIF, PPM, WebP, TIFF, HEIC or AVIF picture") !=
        std::string::npos);
  CHECK(reason("GIF89a...").find("it has no valid header") != std::string::npos);
  CHECK(reason(std::string("RIFF\0\0\0\0WEBPVP8 ", 16))
            .find(has_webp() ? "it has no valid header" : "built without libwebp") != std::string::npos);
  CHECK(reason("<svg>").find("it is SVG or XML, which gesso does not read") != std::string::npos);
  CHECK(reason(data_file("arithmetic.jpg")).find("it cannot be decoded") != std::string::npos);
  CHECK_THROWS_WITH_AS(load_picture(folder / "none.jpg"), doctest::Contains("no such file"), FileError);
  CHECK_THROWS_WITH_AS(load_picture(folder.path()), doctest::Contains("it is a folder"), FileError);
}

TEST_CASE("a picture over the size limit is refused before it is decoded") {
  // 30000 x 30000 pixels in the header, of which the file has none.
  const std::string huge = make_png(30000, 30000, 8, kPngRgb, {});
  CHECK_THROWS_WITH_AS(
      decode_picture(huge, "huge.png"),
      doctest::Contains("'huge.png': it has 30000 x 30000 pixels, more than the limit of 100000000"),
      FileError);
  const std::string small = encode_png(Tensor::zeros({1, 3, 10, 11}));
  CHECK_THROWS_WITH_AS(decode_picture(small, "small.png", {.max_pixels = 109}),
                       doctest::Contains("it has 11 x 10 pixels"), FileError);
  CHECK(decode_picture(small, "small.png", {.max_pixels = 110}).numel() == 330);
}

TEST_CASE("every truncated file is an error") {
  const Tensor x = smooth_picture(13, 18);
  const std::pair<const char*, std::string> files[] = {
      {"PNG", encode_png(x)},
      {"JPEG", with_segment(encode_jpeg(x), exif_segment(6, true))},
      {"progressive JPEG", data_file("progressive.jpg")},
      {"BMP", make_bmp(4, 3, std::vector<std::uint32_t>(12, 0x123456))},
  };
  for (const auto& [name, file] : files) {
    CAPTURE(name);
    CHECK(decodes(file));
    // Of a JPEG only the end marker may be missing, or half of it.
    const std::size_t needed = file.starts_with("\xFF\xD8") ? file.size() - 2 : file.size();
    for (std::size_t size = 0; size < file.size(); ++size) {
      CAPTURE(size);
      CHECK(decodes(file.substr(0, size)) == (size >= needed));
    }
  }
}

TEST_CASE("any flipped bit of a PNG is found by its checksums") {
  const std::string file = encode_png(smooth_picture(6, 7));
  for (std::size_t i = 0; i < file.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = file;
      flipped[i] ^= static_cast<char>(1 << bit);
      // A flip that makes a chunk's name lower case makes the chunk optional; without it nothing can be
      // shown.
      CHECK_FALSE(decodes(flipped));
    }
  }
}

TEST_CASE("broken bytes give an error or some picture, never a crash") {
  const Tensor x = smooth_picture(20, 21);
  std::string palette = png_chunk("PLTE", {"\xFF\x00\x00\x00\x80\x00", 6});
  const std::string files[] = {
      encode_jpeg(x, 50),
      encode_jpeg(x, 95),
      data_file("progressive.jpg"),
      data_file("baseline.jpg"),
      make_bmp(5, 4, std::vector<std::uint32_t>(20, 0x445566)),
      make_png(2, 1, 8, kPngPalette, {std::string("\x01\x00", 2)}, palette + png_chunk("tRNS", "\x80")),
  };
  Generator rng(99);
  int shown = 0, refused = 0;
  for (const std::string& file : files) {
    for (int round = 0; round < 400; ++round) {
      std::string broken = file;
      const auto size = static_cast<Index>(broken.size());
      for (Index flips = 1 + rng.below(4); flips > 0; --flips) {
        broken[rng.below(size)] = static_cast<char>(rng.below(256));
      }
      (decodes(broken) ? shown : refused) += 1;
    }
  }
  CHECK(shown > 100);
  CHECK(refused > 100);
}

TEST_CASE("PNG data behind right checksums may still be broken: an error, not a crash") {
  Generator rng(4);
  const std::string good = zlib_stored(std::string(4 * 13, '\x01'));
  std::string header;
  append_big_endian(header, 4, 4);
  append_big_endian(header, 4, 4);
  header += {'\x08', '\x02', 0, 0, 0};
  int refused = 0;
  for (int round = 0; round < 1000; ++round) {
    std::string data = good, ihdr = header;
    for (Index flips = 1 + rng.below(3); flips > 0; --flips) {
      data[rng.below(static_cast<Index>(data.size()))] = static_cast<char>(rng.below(256));
    }
    if (round % 4 == 0) {
      ihdr[8 + rng.below(5)] = static_cast<char>(rng.below(17));
    }
    refused += !decodes("\x89PNG\r\n\x1A\n" + png_chunk("IHDR", ihdr) + png_chunk("IDAT", data) +
                        png_chunk("IEND", ""));
  }
  CHECK(refused > 100);
}

TEST_CASE("a few bytes that claim to unpack to many are refused") {
  // Deflate with fixed codes: one literal, then 26 MB as copies of 258 bytes, 13 bits each.
  std::string bits =
      "110"
      "00110000";
  for (int i = 0; i < 100000; ++i) {
    bits +=
        "11000101"
        "00000";
  }
  std::string deflated = "\x78\x01";
  for (std::size_t i = 0; i < bits.size(); i += 8) {
    int byte = 0;
    for (std::size_t k = i; k < std::min(i + 8, bits.size()); ++k) {
      byte |= (bits[k] - '0') << (k - i);
    }
    deflated += static_cast<char>(byte);
  }
  std::string header;
  append_big_endian(header, 1, 4);
  append_big_endian(header, 1, 4);
  header += {'\x08', '\x02', 0, 0, 0};
  const std::string file =
      "\x89PNG\r\n\x1A\n" + png_chunk("IHDR", header) + png_chunk("IDAT", deflated) + png_chunk("IEND", "");
  CHECK_THROWS_WITH_AS(decode_picture(file, "bomb"), doctest::Contains("it cannot be decoded"), FileError);
}

TEST_CASE("hostile Huffman tables in a JPEG are refused") {
  const std::string file = encode_jpeg(smooth_picture(8, 8));
  const std::size_t at = file.find("\xFF\xC4") + 4;
  for (int length = 1; length <= 16; ++length) {
    std::string hostile = file;
    hostile[at + length] = '\xFF';
    CHECK_FALSE(decodes(hostile));
  }
}

TEST_CASE("loading does not depend on the number of threads, and several may load at once") {
  const std::string png = encode_png(eight_bit_picture(150, 90)), jpeg = encode_jpeg(smooth_picture(150, 90));
  set_num_threads(1);
  const Tensor a = decode_picture(png, "a"), b = decode_picture(jpeg, "b");
  for (const int threads : {2, 3}) {
    set_num_threads(threads);
    CHECK(identical(decode_picture(png, "a"), a));
    CHECK(identical(decode_picture(jpeg, "b"), b));
    CHECK(encode_jpeg(b) == encode_jpeg(decode_picture(jpeg, "b")));
  }
  bool same[4] = {};
  std::vector<std::thread> threads;
  for (bool& ok : same) {
    threads.emplace_back([&] {
      ok = true;
      for (int i = 0; i < 20; ++i) {
        ok = ok && identical(decode_picture(png, "a"), a) && identical(decode_picture(jpeg, "b"), b);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK((same[0] && same[1] && same[2] && same[3]));
}

TEST_CASE("the size of a picture is known from its header, and is the one it is shown in") {
  const TemporaryFolder folder;
  for (const char* name : {"a.png", "a.jpg"}) {
    save_picture(folder / name, Tensor::zeros({1, 3, 20, 30}));
    CHECK(read_picture_size(folder / name) == Size2d(20, 30));
    const std::string bytes = read_file(folder / name);
    write_bytes(folder / name, bytes.substr(0, bytes.size() - 20));  // it cannot be loaded any more
    CHECK(read_picture_size(folder / name) == Size2d(20, 30));
    CHECK_THROWS_WITH_AS(read_picture_size(folder / name, {.max_pixels = 599}), doctest::Contains(name),
                         FileError);
  }
  CHECK_THROWS_WITH_AS(read_picture_size(folder / "none.jpg"), doctest::Contains("no such file"), FileError);
  write_bytes(folder / "a.jpg", "no picture");
  CHECK_THROWS_WITH_AS(read_picture_size(folder / "a.jpg"), doctest::Contains("not a JPEG"), FileError);
}

TEST_CASE("a JPEG is read as cameras, phones and films write it") {
  const std::string gray = encode_jpeg(smooth_picture(21, 34)[0].slice(0, 1), 90),
                    color = encode_jpeg(smooth_picture(40, 33), 95);
  for (const std::string& file : {gray, color, data_file("baseline.jpg"), data_file("progressive.jpg")}) {
    const Tensor expected = decode_picture(file, "plain");
    const auto same = [&](const std::string& other) {
      return identical(decode_picture(other, "other"), expected);
    };
    const std::string without_end = file.substr(0, file.size() - 2);
    CHECK(same(without_end));
    CHECK(same(file + "a trailer, of a panorama"));
    CHECK(same(file + color));  // another picture behind it
    CHECK(same(without_end + std::string(50, '\0')));
    CHECK(same(without_end + "SEFH trailer without a marker"));
    CHECK(same(without_end + "\xFF\xD3\xFF\xD9"));  // a restart marker behind the last pixel
    CHECK(same(without_end + std::string("\xFF\0\xFF\xD9", 4)));
    CHECK(same(without_end + std::string("\xFF\0\0\xFF\xD1\xFF\xD9", 7)));
    std::string padded = file;  // between segments
    padded.insert(padded.find("\xFF\xDB"), std::string("\0\0pad\0", 6));
    CHECK(same(padded));
    CHECK(same(with_segment(file, "\xFF\xFF\xFF")));
  }
}

TEST_CASE("a frame of Motion JPEG has no code tables: they are the standard's") {
  const std::string file = encode_jpeg(smooth_picture(24, 40), 90);
  std::string frame = file;
  for (std::size_t at; (at = frame.find("\xFF\xC4")) != std::string::npos;) {
    const auto length =
        static_cast<unsigned char>(frame[at + 2]) << 8 | static_cast<unsigned char>(frame[at + 3]);
    frame.erase(at, static_cast<std::size_t>(length) + 2);
  }
  REQUIRE(frame.size() < file.size());
  CHECK(identical(decode_picture(frame, "frame"), decode_picture(file, "file")));
}

TEST_CASE("a CMYK JPEG is read with and without Adobe's marker, as other programs do") {
  // Pillow wrote four patches of 16 x 16; its marker was cut out. Below is what Pillow, ImageMagick, gdk-pixbuf and
  // Chromium show, with the marker and without, to 1 of 255.
  const Tensor x = decode_picture(data_file("cmyk.jpg"), "cmyk.jpg");
  REQUIRE(x.shape() == Shape{1, 3, 32, 32});
  const struct {
    Index row, column;
    double color[3];
  } patches[] = {{8, 8, {49, 190, 216}}, {8, 24, {255, 0, 0}}, {24, 8, {0, 0, 0}}, {24, 24, {0, 191, 95}}};
  for (const auto& [row, column, color] : patches) {
    for (int c = 0; c < 3; ++c) {
      CHECK(std::fabs(255 * x.at({0, c, row, column}) - color[c]) < 1.5);
    }
  }
  const std::string marker(
      "\xFF\xEE\0\x0E"
      "Adobe\0\x64\0\0\0\0\0",
      16);
  CHECK(identical(decode_picture(with_segment(data_file("cmyk.jpg"), marker), "marked"), x));
}

TEST_CASE("a JPEG without a scan or without quantization tables is no picture, however it ends") {
  const std::string file = encode_jpeg(smooth_picture(16, 16), 90);
  // 23 bytes that claim 9000 x 9000 pixels.
  const std::string claim(
      "\xFF\xD8\xFF\xC0\x00\x11\x08\x23\x28\x23\x28\x03\x01\x11\x00\x02\x11\x00\x03\x11\x00\xFF\xD9", 23);
  CHECK_THROWS_WITH_AS(decode_picture(claim, "claim"),
                       doctest::Contains("the file ends before the picture does"), FileError);
  std::string without = file;
  for (std::size_t at; (at = without.find("\xFF\xDB")) != std::string::npos;) {
    const auto length =
        static_cast<unsigned char>(without[at + 2]) << 8 | static_cast<unsigned char>(without[at + 3]);
    without.erase(at, static_cast<std::size_t>(length) + 2);
  }
  CHECK_THROWS_WITH_AS(decode_picture(without, "without"), doctest::Contains("no quantization tables"),
                       FileError);
}

TEST_CASE("an orientation of type long, and one in a PNG's eXIf, count too") {
  const auto append = append_little_endian;
  std::string tiff = "II";
  append(tiff, 42, 2);
  append(tiff, 8, 4);
  append(tiff, 1, 2);
  append(tiff, 0x0112, 2);
  append(tiff, 4, 2);  // long
  append(tiff, 1, 4);
  append(tiff, 6, 4);
  append(tiff, 0, 4);
  std::string segment = "\xFF\xE1";
  append_big_endian(segment, static_cast<std::uint32_t>(tiff.size() + 8), 2);
  segment += std::string("Exif\0\0", 6) + tiff;
  const Tensor x = eight_bit_picture(3, 5);
  CHECK(exif_orientation(with_segment(encode_jpeg(x), segment)) == 6);
  const std::string png = encode_png(x);
  const std::string turned = png.substr(0, 33) + png_chunk("eXIf", tiff) + png.substr(33);
  CHECK(exif_orientation(png) == 1);
  CHECK(exif_orientation(turned) == 6);
  const Tensor shown = decode_picture(turned, "turned"), stored = decode_picture(png, "png");
  REQUIRE(shown.shape() == Shape{1, 3, 5, 3});
  for (Index row = 0; row < 3; ++row) {
    for (Index column = 0; column < 5; ++column) {
      CHECK(pixel(shown, column, 2 - row) == pixel(stored, row, column));
    }
  }
}

TEST_CASE("the first frame of a GIF is read, transparent pixels over white") {
  // 2 x 2 pixels of a palette of four: red, green, blue and a transparent one. LZW codes of 3 bits: clear, 0,
  // 1, 2, 3, end.
  const char bytes[] =
      "GIF89a\x02\x00\x02\x00\x91\x00\x00"
      "\xFF\x00\x00\x00\xFF\x00\x00\x00\xFF\x11\x22\x33"
      "\x21\xF9\x04\x01\x00\x00\x03\x00"
      "\x2C\x00\x00\x00\x00\x02\x00\x02\x00\x00"
      "\x02\x03\x44\x34\x05\x00\x3B";
  const std::string gif(bytes, sizeof bytes - 1);
  const Tensor x = decode_picture(gif, "a.gif");
  REQUIRE(x.shape() == Shape{1, 3, 2, 2});
  CHECK(pixel(x, 0, 0) == std::vector<double>{1, 0, 0});
  CHECK(pixel(x, 0, 1) == std::vector<double>{0, 1, 0});
  CHECK(pixel(x, 1, 0) == std::vector<double>{0, 0, 1});
  CHECK(pixel(x, 1, 1) == std::vector<double>{1, 1, 1});
  for (std::size_t size = 0; size < gif.size(); ++size) {
    CHECK_FALSE(decodes(gif.substr(0, size)));
  }
  // A second frame, all red, changes nothing.
  const std::string second(
      "\x21\xF9\x04\x00\x0A\x00\x00\x00"
      "\x2C\x00\x00\x00\x00\x02\x00\x02\x00\x00"
      "\x02\x03\x04\x00\x05\x00",
      24);
  const std::string film = gif.substr(0, gif.size() - 1) + second + "\x3B";
  CHECK(identical(decode_picture(film, "film.gif"), x));
  Generator rng(31);
  for (int round = 0; round < 3000; ++round) {
    std::string broken = gif;
    for (Index flips = 1 + rng.below(3); flips > 0; --flips) {
      broken[6 + rng.below(static_cast<Index>(broken.size()) - 6)] = static_cast<char>(rng.below(256));
    }
    decodes(broken);
  }
}

TEST_CASE("transparency is kept by PNG, and by WebP") {
  const TemporaryFolder folder;
  Tensor x = eight_bit_picture(6, 9, 4);
  x.set({0, 3, 2, 3}, 0);
  std::vector<std::string> names = {"a.png"};
  if (has_webp()) {
    names.emplace_back("a.webp");
  }
  for (const std::string& name : names) {
    save_picture(folder / name, x);
    CHECK(identical(load_transparency(folder / name), x[0].slice(3, 4).reshape({1, 1, 6, 9})));
    CHECK(load_picture(folder / name).shape() == Shape{1, 3, 6, 9});
    CHECK(pixel(load_picture(folder / name), 2, 3) == std::vector<double>{1, 1, 1});  // over white
  }
  save_picture(folder / "opaque.png", eight_bit_picture(6, 9));
  CHECK_FALSE(load_transparency(folder / "opaque.png").defined());
  CHECK_THROWS_WITH_AS(save_picture(folder / "a.jpg", x), doctest::Contains("C = 3 or 1"), ArgumentError);
}

TEST_CASE("WebP is written and read back, or what it needs is named") {
  const TemporaryFolder folder;
  const Tensor x = smooth_picture(40, 50);
  if (!has_webp()) {
    CHECK_THROWS_WITH_AS(save_picture(folder / "a.webp", x), doctest::Contains("libwebp-dev"), ArgumentError);
    return;
  }
  save_picture(folder / "a.webp", x, {.jpeg_quality = 95});
  CHECK(largest_difference(load_picture(folder / "a.webp"), x) < 0.05);
  CHECK(read_picture_size(folder / "a.webp") == Size2d(40, 50));
  save_picture(folder / "gray.webp", x[0].slice(0, 1));
  CHECK(load_picture(folder / "gray.webp").shape() == Shape{1, 3, 40, 50});
  const std::string file = read_file(folder / "a.webp");
  for (std::size_t size = 0; size < file.size(); size += 7) {
    CHECK_FALSE(decodes(file.substr(0, size)));
  }
  Generator rng(32);
  for (int round = 0; round < 300; ++round) {
    std::string broken = file;
    broken[rng.below(static_cast<Index>(broken.size()))] = static_cast<char>(rng.below(256));
    decodes(broken);
  }
}

TEST_CASE("colours that a profile means otherwise are converted to sRGB") {
  // Made with Little CMS: gamma 1 (linear light), the primaries of sRGB.
  const std::string profile = data_file("linear_srgb.icc");
  const std::string plain = encode_jpeg(Tensor::full({1, 3, 16, 16}, 0.5), 100);
  std::string body = std::string("ICC_PROFILE\0\1\1", 14) + profile, segment = "\xFF\xE2";
  append_big_endian(segment, static_cast<std::uint32_t>(body.size() + 2), 2);
  const std::string jpeg = with_segment(plain, segment + body);
  CHECK(color_profile(jpeg) == profile);
  CHECK(color_profile(plain).empty());
  // In two parts, the second one first; and with one missing.
  const auto part = [&](char number, const std::string& bytes) {
    std::string text = std::string("ICC_PROFILE\0", 12) + number + '\2' + bytes, marker = "\xFF\xE2";
    append_big_endian(marker, static_cast<std::uint32_t>(text.size() + 2), 2);
    return marker + text;
  };
  const std::string first = part(1, profile.substr(0, 100)), second = part(2, profile.substr(100));
  CHECK(color_profile(with_segment(plain, second + first)) == profile);
  CHECK(color_profile(with_segment(plain, second)).empty());
  const std::string png = encode_png(Tensor::full({1, 3, 2, 2}, 0.5));
  const std::string tagged =
      png.substr(0, 33) + png_chunk("iCCP", std::string("x\0\0", 3) + zlib_stored(profile)) + png.substr(33);
  const double shown = has_color_profiles() ? 0.735 : 0.5;  // of linear light 0.5
  CHECK(pixel(decode_picture(jpeg, "jpeg"), 3, 3)[1] == doctest::Approx(shown).epsilon(0.01));
  CHECK(pixel(decode_picture(tagged, "png"), 1, 1)[0] == doctest::Approx(shown).epsilon(0.01));
  // Broken ones are ignored.
  Generator rng(33);
  for (int round = 0; round < 300; ++round) {
    std::string broken = jpeg;
    for (Index flips = 1 + rng.below(4); flips > 0; --flips) {
      broken[20 + rng.below(static_cast<Index>(profile.size()))] = static_cast<char>(rng.below(256));
    }
    decodes(broken);
  }
}

TEST_CASE("PNG files are compressed") {
  const Tensor photo = load_picture(source_path("examples/assets/photos/cat.jpg"));
  const double bytes = static_cast<double>(encode_png(photo).size()),
               samples = static_cast<double>(photo.numel());
  CHECK(bytes < (has_checksums() ? 0.45 : 0.6) * samples);  // with zlib, or without
}
