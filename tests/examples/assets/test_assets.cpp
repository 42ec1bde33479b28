// The bundled pictures: all can be read, all are credited, and together they stay small.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "gesso/core/pictures/picture.h"
#include "paths.h"

namespace fs = std::filesystem;

TEST_CASE("every bundled picture loads, is large enough to train with, and has a row in CREDITS.md") {
  const fs::path assets = gesso::testing::source_path("examples/assets");
  std::ifstream file(assets / "CREDITS.md");
  REQUIRE(file.good());
  const std::string credits{std::istreambuf_iterator<char>(file), {}};
  std::ptrdiff_t pictures = 0;
  std::uintmax_t bytes = 0;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(assets)) {
    if (!entry.is_regular_file()) {
      continue;
    }
    const std::string name = fs::relative(entry.path(), assets).generic_string();
    CAPTURE(name);
    if (entry.path().extension() == ".safetensors") {
      const std::uintmax_t most = name.starts_with("models/")      ? 1'000'000
                                  : name.starts_with("any_style/") ? 4'000'000
                                                                   : 1'500'000;
      CHECK(entry.file_size() <= most);
      continue;
    }
    bytes += entry.file_size();
    if (entry.path().filename() == "CREDITS.md") {
      continue;
    }
    const gesso::Tensor picture = gesso::load_picture(entry.path().string());
    CHECK(std::min(picture.size(2), picture.size(3)) >= 350);
    CHECK(credits.find("\n| `" + name + "` |") != std::string::npos);
    ++pictures;
  }
  const std::string row = "\n| `";
  std::ptrdiff_t rows = 0;
  for (std::size_t at = credits.find(row); at != std::string::npos; at = credits.find(row, at + 1)) {
    ++rows;
  }
  CHECK(rows == pictures);  // no row without its picture
  CHECK(bytes < 2'000'000);
}
