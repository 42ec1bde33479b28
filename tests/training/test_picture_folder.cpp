// The picture-folder loader: the same sequence whatever the timing, epochs that show every picture once,
// resuming, broken files.
#include "gesso/training/picture_folder.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <set>
#include <thread>

#include "files.h"
#include "gesso/core/files/file.h"
#include "gesso/core/memory/memory_pool.h"
#include "gesso/core/parallel.h"
#include "gesso/core/pictures/picture.h"
#include "gesso/core/pictures/resize.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

// A picture of one colour, which tells in every crop which picture it was: red is `number` of 255.
void save_plain(const std::string& path, int number, Index height = 9, Index width = 12) {
  save_picture(path, Tensor::full({1, 3, height, width}, number / 255.0));
}

// Files 0.png, 1.png, ... of plain colour 0, 1, ...
void save_plain_pictures(const TemporaryFolder& folder, int count) {
  for (int i = 0; i < count; ++i) {
    save_plain(folder / (std::to_string(i) + ".png"), i);
  }
}

// The numbers of the pictures in a batch of plain colours.
std::vector<int> numbers(const Tensor& batch) {
  std::vector<int> result;
  for (Index n = 0; n < batch.size(0); ++n) {
    result.push_back(static_cast<int>(std::lround(batch.at({n, 0, 0, 0}) * 255)));
  }
  return result;
}

std::vector<int> next_numbers(PictureFolder& folder, int batches) {
  std::vector<int> all;
  for (int i = 0; i < batches; ++i) {
    const std::vector<int> some = numbers(folder.next());
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

// A picture whose pixels tell where they are: red the column, green the row.
void save_coordinates(const std::string& path, Index height, Index width) {
  Tensor x = Tensor::zeros({1, 3, height, width});
  for (Index i = 0; i < height; ++i) {
    for (Index j = 0; j < width; ++j) {
      x.set({0, 0, i, j}, static_cast<double>(j) / 255);
      x.set({0, 1, i, j}, static_cast<double>(i) / 255);
    }
  }
  save_picture(path, x);
}

std::vector<Tensor> batches(PictureFolder& folder, int count) {
  std::vector<Tensor> result;
  for (int i = 0; i < count; ++i) {
    result.push_back(folder.next());
  }
  return result;
}

bool same(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Tensor& x, const Tensor& y) { return identical(x, y); });
}

}  // namespace

TEST_CASE("pictures are found by their ending, sorted, in folders below too, but not hidden ones") {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "sub/deeper");
  std::filesystem::create_directories(folder / "folder.jpg");
  std::filesystem::create_directories(folder / ".hidden");
  for (const char* name :
       {"b.JPG", "a.png", "notes.txt", "._b.JPG", "sub/deeper/z.bmp", "sub/y.jpeg", ".hidden/x.jpg"}) {
    write_bytes(folder / name, "");
  }
  const std::string root = folder.path() + "/";
  CHECK(PictureFolder(folder.path()).files() == std::vector<std::string>{root + "a.png", root + "b.JPG",
                                                                         root + "sub/deeper/z.bmp",
                                                                         root + "sub/y.jpeg"});
  CHECK_THROWS_WITH_AS(PictureFolder(root + "none"), doctest::Contains("none: there is no such folder"),
                       FileError);
  CHECK_THROWS_WITH_AS(PictureFolder(root + "a.png"), doctest::Contains("a.png: there is no such folder"),
                       FileError);
  CHECK_THROWS_WITH_AS(PictureFolder(root + "folder.jpg"),
                       doctest::Contains("folder.jpg: the folder holds no"), FileError);
  CHECK_THROWS_AS(PictureFolder(std::vector<std::string>{}), ArgumentError);
}

TEST_CASE("links are followed, each folder once, and what cannot be read stops nothing") {
  const TemporaryFolder folder, elsewhere;
  const std::string root = folder.path() + "/";
  std::filesystem::create_directories(folder / "a/b");
  std::filesystem::create_directories(folder / "closed");
  write_bytes(folder / "a/b/deep.jpg", "");
  write_bytes(elsewhere / "far.png", "");
  write_bytes(elsewhere / "one.jpg", "");
  std::filesystem::create_directory_symlink(folder.path(), folder / "a/b/up");  // a loop
  std::filesystem::create_directory_symlink(elsewhere.path(), folder / "linked");
  std::filesystem::create_directory_symlink(elsewhere.path(), folder / "linked_again");
  std::filesystem::create_symlink(elsewhere / "one.jpg", folder / "link.jpg");
  std::filesystem::create_symlink(folder / "nowhere.jpg", folder / "dangling.jpg");
  std::filesystem::create_symlink("round.jpg", folder / "round.jpg");
  const std::vector<std::string> expected = {root + "a/b/deep.jpg", root + "link.jpg",
                                             root + "linked/far.png", root + "linked/one.jpg"};
  CHECK(pictures_in(folder.path()) == expected);
  CHECK(pictures_in(folder.path(), {.folders_inside = false}) == std::vector<std::string>{root + "link.jpg"});
  std::filesystem::permissions(folder / "closed", std::filesystem::perms::none);
  std::vector<std::string> complaints;
  CHECK(pictures_in(folder.path(), {.complaints = &complaints}) == expected);
  if (::geteuid() != 0) {  // root reads everything
    REQUIRE(complaints.size() == 1);
    CHECK(complaints[0].find("closed: the folder cannot be read") != std::string::npos);
    PictureFolder pictures(folder.path(), {.crop = 4, .batch = 1});
    CHECK(pictures.take_warnings().at(0) == complaints[0]);
  }
  std::filesystem::permissions(folder / "closed", std::filesystem::perms::owner_all);
}

TEST_CASE("batches have the promised shape, each epoch shows every picture once in a fresh order") {
  const TemporaryFolder folder;
  save_plain_pictures(folder, 7);
  PictureFolder loader(folder.path(), {.crop = 5, .batch = 3, .seed = 4});
  CHECK(loader.files().size() == 7);
  CHECK(loader.next().shape() == Shape{3, 3, 5, 5});
  loader.set_state({});
  const std::vector<int> all = next_numbers(loader, 14);  // 6 epochs of 7
  std::set<std::vector<int>> orders;
  for (int epoch = 0; epoch < 6; ++epoch) {
    const std::vector<int> order(all.begin() + 7 * epoch, all.begin() + 7 * (epoch + 1));
    CHECK(std::set<int>(order.begin(), order.end()).size() == 7);
    orders.insert(order);
  }
  CHECK(orders.size() == 6);
  CHECK(loader.state().crops == 42);
  PictureFolder other(folder.path(), {.crop = 5, .batch = 3, .seed = 5});
  CHECK(next_numbers(other, 14) != all);
}

TEST_CASE("crops are squares of the picture at scales within the range, half of them mirrored") {
  const TemporaryFolder folder;
  save_coordinates(folder / "wide.png", 100, 200);
  const auto measure = [&](const PictureFolderOptions& options) {
    PictureFolder loader(folder.path(), options);
    std::map<std::string, double> found = {
        {"mirrored", 0}, {"smallest", 1e9}, {"largest", 0}, {"leftmost", 1e9}, {"rightmost", 0}};
    for (int i = 0; i < 60; ++i) {
      const Tensor batch = loader.next();
      REQUIRE(batch.size(0) == options.batch);
      for (Index n = 0; n < batch.size(0); ++n) {
        // Coordinates of the crop's pixels near two corners; the filter keeps ramps inside.
        const Index a = 5, b = options.crop - 6;
        const double x0 = 255 * batch.at({n, 0, a, a}), x1 = 255 * batch.at({n, 0, a, b});
        const double y0 = 255 * batch.at({n, 1, a, a}), y1 = 255 * batch.at({n, 1, b, a});
        const double step = (y1 - y0) / static_cast<double>(b - a);  // picture pixels in one of the crop
        CHECK(std::fabs(std::fabs(x1 - x0) - (y1 - y0)) < 0.5);      // square, upright
        found["mirrored"] += x1 < x0;
        found["smallest"] = std::min(found["smallest"], step * static_cast<double>(options.crop));
        found["largest"] = std::max(found["largest"], step * static_cast<double>(options.crop));
        found["leftmost"] = std::min({found["leftmost"], x0, x1});
        found["rightmost"] = std::max({found["rightmost"], x0, x1});
      }
    }
    return found;
  };
  auto found = measure({.crop = 40, .batch = 4, .seed = 1});
  CHECK(found["smallest"] > 49);
  CHECK(found["smallest"] < 56);
  CHECK(found["largest"] > 94);
  CHECK(found["largest"] < 101);
  CHECK(found["leftmost"] < 20);
  CHECK(found["rightmost"] > 180);
  CHECK(found["mirrored"] > 85);
  CHECK(found["mirrored"] < 155);
  found = measure({.crop = 40, .batch = 4, .min_scale = 0.2, .max_scale = 0.6, .flip = false, .seed = 1});
  CHECK(found["smallest"] > 39);  // not below the crop, although 0.2 would allow 20
  CHECK(found["smallest"] < 43);
  CHECK(found["largest"] > 56);
  CHECK(found["largest"] < 61);
  CHECK(found["mirrored"] == 0);
}

TEST_CASE("pictures smaller than the crop are enlarged") {
  const TemporaryFolder folder;
  save_plain(folder / "a.png", 100, 1, 1);
  save_plain(folder / "b.png", 100, 3, 50);
  PictureFolder loader(folder.path(), {.crop = 16, .batch = 4});
  CHECK(identical(loader.next(), Tensor::full({4, 3, 16, 16}, 100.0 / 255)));
}

TEST_CASE("one whole picture at its own size comes out as it is") {
  const TemporaryFolder folder;
  Generator rng(3);
  save_picture(folder / "p.png", Tensor::uniform({1, 3, 20, 20}, rng));
  PictureFolder loader(std::vector<std::string>{folder / "p.png"},
                       {.crop = 20, .batch = 1, .min_scale = 1, .flip = false});
  CHECK(identical(loader.next(), load_picture(folder / "p.png")));
}

TEST_CASE("large pictures are reduced when loaded, to what the smallest crop needs") {
  const TemporaryFolder folder;
  Generator rng(3);
  save_picture(folder / "p.png", resize_picture(Tensor::uniform({1, 3, 8, 12}, rng), 320, 480));
  const Tensor whole = load_picture(folder / "p.png");
  PictureFolder loader(std::vector<std::string>{folder / "p.png"},
                       {.crop = 32, .batch = 1, .min_scale = 1, .flip = false});
  // The crop is a square of the picture at 32 x 48.
  const Tensor small = resize_short_side(whole, 32), got = loader.next();
  double best = 1;
  for (Index left = 0; left <= 16; ++left) {
    best = std::min(best, largest_difference(got, crop(small, 0, left, 32, 32)));
  }
  CHECK(best == 0);
}

TEST_CASE("the sequence does not depend on timing, threads, the cache or how far ahead it reads") {
  const TemporaryFolder folder;
  Generator rng(6);
  for (int i = 0; i < 5; ++i) {
    save_picture(folder / (std::to_string(i) + ".png"), Tensor::uniform({1, 3, 30 + 7 * i, 50 - 3 * i}, rng));
  }
  const PictureFolderOptions options{.crop = 16, .batch = 4, .seed = 11};
  set_num_threads(1);
  PictureFolder reference(folder.path(), options);
  const std::vector<Tensor> expected = batches(reference, 9);
  set_num_threads(3);
  PictureFolder threads(folder.path(), options);
  CHECK(same(batches(threads, 9), expected));
  set_num_threads(2);
  for (const Index ahead : {1, 10}) {
    for (const Index cache_bytes : {0, 10000, 1 << 20}) {
      PictureFolderOptions changed = options;
      changed.ahead = ahead;
      changed.cache_bytes = cache_bytes;
      PictureFolder loader(folder.path(), changed);
      std::vector<Tensor> got;
      for (int i = 0; i < 9; ++i) {
        if (i % 4 == 1) {
          std::this_thread::sleep_for(std::chrono::milliseconds(3));
        }
        got.push_back(loader.next());
      }
      CHECK(same(got, expected));
    }
  }
}

TEST_CASE("shares of batches are what their parts of whole batches are, from any position on") {
  const TemporaryFolder folder;
  save_plain_pictures(folder, 7);
  const PictureFolderOptions options{.crop = 3, .batch = 5, .seed = 4};
  PictureFolder whole(folder.path(), options), share(folder.path(), options);
  share.set_share(1, 3);
  for (int i = 0; i < 4; ++i) {
    CHECK(share.next().to_vector() == whole.next().slice(1, 4).to_vector());
    CHECK(share.state().crops == whole.state().crops);
  }
  whole.set_state({.crops = 10});
  share.set_state({.crops = 10});
  CHECK(share.next().to_vector() == whole.next().slice(1, 4).to_vector());
  CHECK_THROWS_WITH_AS(share.set_share(3, 3), doctest::Contains("crops 3 to 5 are not all in a batch of 5"),
                       ArgumentError);
  CHECK_THROWS_AS(share.set_share(0, 0), ArgumentError);
}

TEST_CASE("a saved state resumes to the identical sequence") {
  const TemporaryFolder folder;
  Generator rng(6);
  for (int i = 0; i < 5; ++i) {
    save_picture(folder / (std::to_string(i) + ".png"), Tensor::uniform({1, 3, 30, 33}, rng));
  }
  write_bytes(folder / "3a.png", "broken");
  const PictureFolderOptions options{.crop = 16, .batch = 3, .seed = 2};
  PictureFolder loader(folder.path(), options);
  CHECK(loader.state().crops == 0);
  std::vector<PictureFolder::State> states;
  std::vector<Tensor> all;
  for (int i = 0; i < 12; ++i) {
    states.push_back(loader.state());
    all.push_back(loader.next());
  }
  for (const int from : {0, 1, 5, 8, 3}) {
    PictureFolder fresh(folder.path(), options);
    fresh.set_state(states[from]);
    CHECK(fresh.state().crops == states[from].crops);
    const std::vector<Tensor> expected(all.begin() + from, all.begin() + from + 4);
    CHECK(same(batches(fresh, 4), expected));
    loader.set_state(states[from]);  // in a loader that is under way
    CHECK(same(batches(loader, 4), expected));
  }
  CHECK(loader.take_warnings().size() == 1);
  CHECK_THROWS_AS(loader.set_state({-1}), ArgumentError);
}

TEST_CASE("files that cannot be loaded are reported once by name, and others take their turns") {
  const TemporaryFolder folder;
  save_plain_pictures(folder, 4);
  write_bytes(folder / "bad.jpg", "no picture");
  const std::string whole = read_file(folder / "0.png");
  write_bytes(folder / "cut.png", whole.substr(0, whole.size() / 2));
  PictureFolder loader(folder.path(), {.crop = 4, .batch = 3, .seed = 3});
  std::vector<std::string> warnings;
  std::map<int, int> shown;
  for (int epoch = 0; epoch < 30; ++epoch) {
    std::set<int> in_epoch;
    for (const int number : next_numbers(loader, 2)) {
      in_epoch.insert(number);
      ++shown[number];
    }
    CHECK(in_epoch == std::set<int>{0, 1, 2, 3});
    for (const std::string& text : loader.take_warnings()) {
      warnings.push_back(text);
    }
  }
  for (int i = 0; i < 4; ++i) {
    CHECK(shown[i] < 65);  // 180 turns: the two of the broken files do not always go to the same picture
  }
  std::sort(warnings.begin(), warnings.end());
  REQUIRE(warnings.size() == 2);
  CHECK(warnings[0].find("bad.jpg': it is not a JPEG, PNG, BMP") != std::string::npos);
  CHECK(warnings[1].find("cut.png': the file ends before the picture does") != std::string::npos);
}

TEST_CASE("when nothing can be read, the error reaches the caller") {
  const TemporaryFolder folder;
  CHECK_THROWS_WITH_AS(PictureFolder(folder.path()), doctest::Contains("the folder holds no"), FileError);
  write_bytes(folder / "a.jpg", "no picture");
  write_bytes(folder / "b.png", "");
  PictureFolder loader(folder.path());
  for (int call = 0; call < 2; ++call) {
    CHECK_THROWS_WITH_AS(loader.next(), doctest::Contains("none of the 2 photographs can be read"),
                         FileError);
  }
  CHECK(loader.take_warnings().size() == 2);
  loader.set_state({3});
  CHECK_THROWS_AS(loader.next(), FileError);
  CHECK(loader.take_warnings().empty());
  const std::vector<std::string> missing = {folder / "none.jpg"};
  CHECK_THROWS_AS(PictureFolder(missing).next(), FileError);
}

TEST_CASE("the thread stops promptly, however long its batch takes") {
  const TemporaryFolder folder;
  save_plain_pictures(folder, 3);
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 4; ++i) {
    // A second or more for each batch.
    PictureFolder loader(folder.path(), {.crop = 128, .batch = 4096, .cache_bytes = 0});
    loader.set_state({1});
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(4));
}

TEST_CASE("cached pictures take no more memory than allowed") {
  const TemporaryFolder folder;
  Generator rng(1);
  for (int i = 0; i < 6; ++i) {
    // 120 kB each when decoded.
    save_picture(folder / (std::to_string(i) + ".png"), Tensor::uniform({1, 3, 100, 100}, rng));
  }
  // Whether at some time between batches the loader holds between `least` and `most` bytes.
  const auto holds = [&](Index cache_bytes, std::size_t least, std::size_t most) {
    const std::size_t before = memory_stats().current_bytes;
    PictureFolder loader(folder.path(),
                         {.crop = 4, .batch = 6, .min_scale = 0.04, .ahead = 1, .cache_bytes = cache_bytes});
    for (int i = 0; i < 4; ++i) {
      loader.next();
    }
    for (int i = 0; i < 500; ++i) {  // until the thread waits with one batch ready
      const std::size_t held = memory_stats().current_bytes - before;
      if (held >= least && held <= most) {
        return true;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  };
  CHECK(holds(1 << 30, 720'000, 920'000));
  CHECK(holds(300'000, 240'000, 320'000));
  CHECK(holds(0, 0, 50'000));
}

TEST_CASE("options that make no sense are named") {
  const TemporaryFolder folder;
  save_plain_pictures(folder, 1);
  const std::string path = folder.path();
  CHECK_THROWS_WITH_AS(PictureFolder(path, {.crop = 0}), doctest::Contains("crop is 0"), ArgumentError);
  CHECK_THROWS_WITH_AS(PictureFolder(path, {.batch = -1}), doctest::Contains("batch is -1"), ArgumentError);
  CHECK_THROWS_AS(PictureFolder(path, {.ahead = 0}), ArgumentError);
  CHECK_THROWS_WITH_AS(PictureFolder(path, {.min_scale = 0}), doctest::Contains("min_scale 0"),
                       ArgumentError);
  CHECK_THROWS_AS(PictureFolder(path, {.min_scale = 0.9, .max_scale = 0.8}), ArgumentError);
  CHECK_THROWS_AS(PictureFolder(path, {.max_scale = 1.5}), ArgumentError);
  CHECK_THROWS_AS(PictureFolder(path, {.min_scale = NAN}), ArgumentError);
}
