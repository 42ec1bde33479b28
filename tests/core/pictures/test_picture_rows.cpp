// Pictures that are read and written by rows: what load_picture() shows and save_picture() keeps, and the same errors.
#include "gesso/core/pictures/rows/picture_rows.h"

#include <doctest/doctest.h>

#include <cmath>

#include "file_size_limit.h"
#include "files.h"
#include "gesso/autograd/shape_ops.h"
#include "gesso/core/error.h"
#include "gesso/core/files/file.h"
#include "gesso/core/pictures/picture.h"
#include "gesso/core/pictures/rows/picture_row_writer.h"
#include "gesso/core/pictures/rows/row_encoders.h"
#include "gesso/core/pictures/webp.h"
#include "paths.h"
#include "picture_files.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

constexpr double kAnyMemory = 1e12;

std::string data_file(const std::string& name) { return read_file(source_path("tests/data/") + name); }

Tensor all_rows(PictureRows& picture, Index rows, bool alpha) {
  std::vector<Tensor> strips;
  const Index height = picture.size().height;
  for (Index row = 0; row < height; row += rows) {
    strips.push_back(picture.next(std::min(rows, height - row), alpha));
  }
  return concat(strips, 2);
}

// Reads a file by rows, and holds what it shows against load_picture().
void check_rows(const std::string& bytes, double difference = 0, double jpeg_memory = 0) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "picture", bytes);
  const auto picture = open_picture_rows(folder / "picture", {}, jpeg_memory);
  const Tensor expected = load_picture(folder / "picture");
  REQUIRE(picture->size() == read_picture_size(folder / "picture"));
  CHECK(look_at_picture(folder / "picture").size == picture->size());
  for (const Index rows : {1, 3, 1000}) {
    picture->rewind();
    CHECK(largest_difference(all_rows(*picture, rows, false), expected) <= difference);
  }
  picture->rewind();
  picture->next(1);
  picture->rewind();  // from within
  const Tensor with_alpha = all_rows(*picture, 2, true);
  CHECK(largest_difference(slice(with_alpha, 1, 0, 3), expected) <= difference);
  const Tensor alpha = load_transparency(folder / "picture");
  CHECK(largest_difference(
            slice(with_alpha, 1, 3, 4),
            alpha.defined() ? alpha : Tensor::ones({1, 1, expected.size(2), expected.size(3)})) == 0);
  if (alpha.defined()) {
    CHECK(picture->has_alpha());
  }
}

// Whether a file of these bytes is read to its end. What is wrong must be a FileError that names it.
bool reads(const std::string& path, const std::string& bytes) {
  write_file_atomically(path, bytes);
  try {
    const auto picture = open_picture_rows(path, {.max_pixels = 1 << 20});
    CHECK(is_in_range(all_rows(*picture, 4, false)));
    return true;
  } catch (const FileError& error) {
    CHECK(std::string(error.what()).find("cannot load picture '" + path + "': ") == 0);
    return false;
  }
}

}  // namespace

TEST_CASE("PNG files of all kinds by rows") {
  const std::string palette = png_chunk("PLTE", {"\xFF\x00\x00\x00\x80\x00", 6});
  const std::string rgba("\x80\x00\xFF\x00\x80\x00\xFF\xFF\x80\x00\xFF\x33", 12);
  check_rows(encode_png(smooth_picture(23, 31)));
  check_rows(encode_png(smooth_picture(23, 31, 1)));
  check_rows(encode_png(smooth_picture(23, 31, 4)));
  check_rows(make_png(2, 2, 8, kPngGray, {{'\x00', '\x80'}, {'\xFF', '\x33'}}));
  check_rows(make_png(10, 2, 1, kPngGray, {"\xA5\x40", "\x13\x80"}));
  check_rows(make_png(3, 1, 4, kPngGray, {"\xA5\x40"}));
  check_rows(make_png(1, 2, 16, kPngRgb, {std::string("\x12\x34\x00\x01\xFF\xFF", 6), std::string(6, '\0')}));
  check_rows(make_png(1, 1, 16, kPngGrayAlpha, {std::string("\x00\x00\x33\x33", 4)}));
  check_rows(make_png(2, 1, 8, kPngPalette, {std::string("\x01\x00", 2)}, palette));
  check_rows(
      make_png(2, 1, 8, kPngPalette, {std::string("\x01\x00", 2)}, palette + png_chunk("tRNS", "\x80")));
  check_rows(make_png(3, 1, 8, kPngRgba, {rgba}));
}

TEST_CASE("JPEG files by rows: libjpeg's pixels, or load_picture()'s where there is memory") {
  const std::string file = encode_jpeg(smooth_picture(45, 61), 90);
  for (const std::string& bytes : {file, encode_jpeg(smooth_picture(30, 17, 1)), data_file("baseline.jpg")}) {
    check_rows(bytes, 8.0 / 255);
    check_rows(bytes, 0, kAnyMemory);
  }
  check_rows(data_file("progressive.jpg"));
  check_rows(file.substr(0, file.size() - 2), 8.0 / 255);  // without its end marker
}

TEST_CASE("pictures that are to be turned, and formats that are decoded whole") {
  for (int orientation = 1; orientation <= 8; ++orientation) {
    check_rows(with_segment(encode_jpeg(smooth_picture(24, 40)), exif_segment(orientation, true)),
               orientation == 1 ? 8.0 / 255 : 0);
  }
  check_rows(make_bmp(5, 4, std::vector<std::uint32_t>(20, 0x445566)));
}

TEST_CASE("PPM and PGM files: binary, with comments, of any number of levels") {
  check_rows(std::string("P6 2 1 255\n\x00\x10\x20\xFF\x80\x01", 17));
  check_rows("P5\n# a comment\n3 2\n# another\n255\nabcdef");
  check_rows(std::string("P6\n1 1\n65535\n\x12\x34\x00\x01\xFF\xFF", 19));
  check_rows(std::string("P5 3 1 15 \x00\x07\x0F", 13));
  const Tensor levels = decode_picture(std::string("P5 3 1 15 \x00\x03\x0F", 13), "levels");
  CHECK(levels.to_vector()[1] == doctest::Approx(0.2).epsilon(1e-4));
  for (const char* bytes : {"P6 2 2 255\nshort", "P6 0 2 255\n", "P6 2 2 70000\n123456789012", "P6 2 2", "P6",
                            "P3 1 1 255\n1 2 3\n", "P6 99999999999999999999 1 255\nx", "P6 -1 2 255\nx"}) {
    CAPTURE(bytes);
    const TemporaryFolder folder;
    CHECK_FALSE(reads(folder / "picture", bytes));
    CHECK_THROWS_AS(decode_picture(bytes, "broken"), FileError);
  }
}

TEST_CASE("every truncated file is an error, and broken bytes are an error or some picture") {
  const TemporaryFolder folder;
  const std::string path = folder / "picture";
  const Tensor x = smooth_picture(13, 18);
  for (const std::string& file : {encode_png(x), encode_jpeg(x)}) {
    const std::size_t needed = file.starts_with("\xFF\xD8") ? file.size() - 2 : file.size();
    for (std::size_t size = 0; size < file.size(); size += size + 40 < needed ? 7 : 1) {
      CAPTURE(size);
      CHECK(reads(path, file.substr(0, size)) == (size >= needed));
    }
  }
  Generator rng(5);
  int shown = 0, refused = 0;
  for (const std::string& file : {encode_jpeg(x, 50), data_file("baseline.jpg"), encode_png(x)}) {
    for (int round = 0; round < 100; ++round) {
      std::string broken = file;
      for (Index flips = 1 + rng.below(4); flips > 0; --flips) {
        broken[rng.below(static_cast<Index>(broken.size()))] = static_cast<char>(rng.below(256));
      }
      (reads(path, broken) ? shown : refused) += 1;
    }
  }
  CHECK(shown > 20);
  CHECK(refused > 100);
}

TEST_CASE("sizes beyond the limit are refused by the header, without decoding") {
  const TemporaryFolder folder;
  std::string header;
  append_big_endian(header, 40000, 4);
  append_big_endian(header, 30000, 4);
  header += {'\x08', '\x02', 0, 0, 0};
  const std::string png =
      "\x89PNG\r\n\x1A\n" + png_chunk("IHDR", header) + png_chunk("IDAT", "") + png_chunk("IEND", "");
  write_file_atomically(folder / "a.png", png);
  CHECK_THROWS_WITH_AS(open_picture_rows(folder / "a.png"),
                       doctest::Contains("40000 x 30000 pixels, more than"), FileError);
  if (can_write_png_rows()) {
    const LoadOptions large{.max_pixels = Index{1} << 40};
    CHECK(look_at_picture(folder / "a.png", large).size == Size2d(30000, 40000));
    CHECK(look_at_picture(folder / "a.png", large).memory == 0);
    const auto picture = open_picture_rows(folder / "a.png", large);
    CHECK_THROWS_WITH_AS(picture->next(1), doctest::Contains("it cannot be decoded"), FileError);
  }
  CHECK_THROWS_WITH_AS(open_picture_rows(folder / "none.png"), doctest::Contains("there is no such file"),
                       FileError);
  CHECK_THROWS_AS(open_picture_rows(folder.path()), FileError);
}

TEST_CASE("what is written by rows is read back") {
  const TemporaryFolder folder;
  for (const char* name : {"a.png", "a.PPM", "a.jpg", "a.webp"}) {
    if (std::string(name) == "a.webp" && !has_webp()) {
      continue;
    }
    CAPTURE(name);
    const std::string path = folder / name;
    const bool alpha = std::string(name) == "a.png";
    const Tensor x = smooth_picture(29, 40, alpha ? 4 : 3);
    const auto writer = begin_picture(path, {29, 40}, alpha ? 4 : 3);
    for (Index row = 0; row < 29; row += 8) {
      CHECK_FALSE(std::filesystem::exists(path));
      writer->write(slice(x, 2, row, std::min<Index>(29, row + 8)));
    }
    writer->finish();
    save_picture(folder / ("whole-" + std::string(name)), x);
    const double difference = std::string(name) == "a.jpg" ? 8.0 / 255 : 0;
    CHECK(largest_difference(load_picture(path), load_picture(folder / ("whole-" + std::string(name)))) <=
          difference);
    if (alpha) {
      CHECK(identical(load_transparency(path), load_transparency(folder / "whole-a.png")));
    }
  }
}

TEST_CASE("a picture that is not finished is not there; a full disk is an error that says so") {
  const TemporaryFolder folder;
  const Tensor x = smooth_picture(8, 500);
  for (const char* name : {"a.png", "a.ppm", "a.jpg"}) {
    const std::string path = folder / name;
    CAPTURE(name);
    {
      const auto writer = begin_picture(path, {16, 500}, 3);
      writer->write(x);
      CHECK_THROWS_WITH_AS(writer->finish(), doctest::Contains("8 rows of 16"), ArgumentError);
    }
    CHECK(folder.entries() == 0);
    {
      const FileSizeLimit limit(100);
      const auto fill = [&] {
        const auto writer = begin_picture(path, {8, 500}, 3);
        writer->write(x);
        writer->finish();
      };
      CHECK_THROWS_AS(fill(), FileError);
    }
    CHECK(folder.entries() == 0);
  }
  CHECK_THROWS_WITH_AS(begin_picture(folder / "a.tiff", {8, 8}, 3),
                       doctest::Contains(".png, .jpg, .jpeg, .webp or .ppm"), ArgumentError);
  CHECK_THROWS_WITH_AS(begin_picture(folder / "a.jpg", {8, 8}, 4), doctest::Contains("4 channels"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(begin_picture(folder / "a.jpg", {8, 70000}, 3), doctest::Contains("65535"),
                       ArgumentError);
  const auto writer = begin_picture(folder / "a.png", {8, 8}, 3);
  CHECK_THROWS_WITH_AS(writer->write(x), doctest::Contains("of a picture of 3 channels and 8 x 8"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(writer->write(Tensor::full({1, 3, 1, 8}, std::nan(""))), doctest::Contains("NaN"),
                       ArgumentError);
}
