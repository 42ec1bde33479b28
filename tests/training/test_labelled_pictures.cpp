// Labelled pictures: the published files, folders, batches; damaged files.
#include "gesso/training/labelled_pictures.h"

#include <algorithm>
#include <set>

#include "files.h"
#include "gesso/core/files/inflate.h"
#include "gesso/core/pictures/picture.h"
#include "paths.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;
namespace fs = std::filesystem;

namespace {

std::string word(std::uint32_t value) {
  std::string bytes;
  for (const int shift : {24, 16, 8, 0}) {
    bytes += static_cast<char>(value >> shift & 255);
  }
  return bytes;
}

// Three pictures of 2 x 3 pixels, labels 1, 0, 2.
void write_mnist(const std::string& folder, const std::string& prefix) {
  std::string pixels;
  for (int i = 0; i < 18; ++i) {
    pixels += static_cast<char>(10 * i);
  }
  write_bytes(folder + "/" + prefix + "-images-idx3-ubyte",
              word(0x803) + word(3) + word(2) + word(3) + pixels);
  write_bytes(folder + "/" + prefix + "-labels-idx1-ubyte", word(0x801) + word(3) + std::string("\1\0\2", 3));
}

LabelledPictures numbered(Index count) {
  LabelledPictures data{.channels = 1, .height = 2, .width = 2};
  for (Index i = 0; i < count; ++i) {
    data.labels.push_back(i);
    data.pixels.insert(data.pixels.end(), 4, static_cast<std::uint8_t>(i));
  }
  return data;
}

}  // namespace

TEST_CASE("MNIST's files, where torchvision puts them too, packed or not") {
  const TemporaryFolder folder;
  write_mnist(folder.path(), "train");
  fs::create_directories(folder / "MNIST/raw");
  write_mnist(folder / "MNIST/raw", "t10k");
  for (const DataSplit split : {DataSplit::training, DataSplit::test}) {
    const LabelledPictures data = load_mnist(folder.path(), split);
    CHECK(data.size() == 3);
    CHECK(data.labels == std::vector<Index>{1, 0, 2});
    CHECK(data.classes == std::vector<std::string>{"0", "1", "2"});
    CHECK(data.pictures(1, 3).shape() == Shape{2, 1, 2, 3});
    CHECK(data.pictures(1, 2)(0, 0, 0, 1) == doctest::Approx(70 / 255.0));
    CHECK_THROWS_AS(data.pictures(1, 4), ArgumentError);
  }
  if (detail::can_inflate()) {
    REQUIRE(std::system(("gzip " + folder.path() + "/train-*").c_str()) == 0);
    CHECK(load_mnist(folder.path(), DataSplit::training).labels == std::vector<Index>{1, 0, 2});
    std::string packed = folder / "train-labels-idx1-ubyte.gz";
    fs::resize_file(packed, fs::file_size(packed) - 3);
    CHECK_THROWS_WITH_AS(load_mnist(folder.path(), DataSplit::training), doctest::Contains("does not unpack"),
                         FileError);
  }
}

TEST_CASE("a folder's data set is told by its files") {
  const TemporaryFolder folder;
  CHECK_THROWS_WITH_AS(load_data_set(folder.path(), DataSplit::training),
                       doctest::Contains("no train-images-idx3-ubyte (MNIST), no data_batch_1.bin"),
                       FileError);
  write_bytes(folder / "train.bin", std::string("\1\5", 2) + std::string(3072, 'x'));
  const LabelledPictures hundred = load_data_set(folder.path(), DataSplit::training);
  CHECK((hundred.classes.size() == 100 && hundred.labels == std::vector<Index>{5}));
  fs::create_directories(folder / "cifar-10-batches-bin");
  for (int i = 1; i <= 5; ++i) {
    write_bytes(folder / ("cifar-10-batches-bin/data_batch_" + std::to_string(i) + ".bin"),
                static_cast<char>(i) + std::string(3072, 'x'));
  }
  CHECK(load_data_set(folder.path(), DataSplit::training).labels == std::vector<Index>{1, 2, 3, 4, 5});
  CHECK_THROWS_WITH_AS(load_data_set(folder.path(), DataSplit::test), doctest::Contains("test_batch.bin"),
                       FileError);
  write_mnist(folder.path(), "train");
  CHECK(load_data_set(folder.path(), DataSplit::training).labels == std::vector<Index>{1, 0, 2});
}

TEST_CASE("MNIST's files that are missing or wrong are named") {
  const TemporaryFolder folder;
  CHECK_THROWS_WITH_AS(load_mnist(folder.path(), DataSplit::training),
                       doctest::Contains("train-images-idx3-ubyte"), FileError);
  write_mnist(folder.path(), "train");
  const auto refused = [&](const std::string& name, const std::string& bytes, const char* why) {
    write_mnist(folder.path(), "train");
    write_bytes(folder / name, bytes);
    CHECK_THROWS_WITH_AS(load_mnist(folder.path(), DataSplit::training), doctest::Contains(why), FileError);
  };
  refused("train-images-idx3-ubyte", "", "not a file of bytes in 3 dimension(s)");
  refused("train-images-idx3-ubyte", word(0x801) + word(3) + std::string(12, 'a'), "not a file of bytes");
  refused("train-images-idx3-ubyte", word(0x803) + word(3) + word(2) + word(3) + "short",
          "it says that it has 18");
  refused("train-images-idx3-ubyte", word(0x803) + word(~0u) + word(~0u) + word(~0u), "and has 0");
  refused("train-labels-idx1-ubyte", word(0x801) + word(2) + "ab", "2 labels for 3 pictures");
}

TEST_CASE("CIFAR's binary files") {
  const TemporaryFolder folder;
  fs::create_directories(folder / "cifar-10-batches-bin");
  const auto picture = [](char label, char pixel) { return std::string(1, label).append(3072, pixel); };
  for (int i = 1; i <= 5; ++i) {
    write_bytes(folder / ("cifar-10-batches-bin/data_batch_" + std::to_string(i) + ".bin"),
                picture(static_cast<char>(i), 'a') + picture(static_cast<char>(i + 1), 'b'));
  }
  const LabelledPictures data = load_cifar10(folder.path(), DataSplit::training);
  CHECK(data.labels == std::vector<Index>{1, 2, 2, 3, 3, 4, 4, 5, 5, 6});
  CHECK(data.classes.size() == 10);
  CHECK(data.pictures(9, 10).shape() == Shape{1, 3, 32, 32});
  CHECK(data.pictures(9, 10)(0, 2, 31, 31) == doctest::Approx('b' / 255.0));
  write_bytes(folder / "cifar-10-batches-bin/batches.meta.txt", "airplane\nautomobile\n\n");
  CHECK_THROWS_WITH_AS(load_cifar10(folder.path(), DataSplit::training),
                       doctest::Contains("it has the label 2, and there are 2 classes"), FileError);
  CHECK_THROWS_WITH_AS(load_cifar10(folder.path(), DataSplit::test), doctest::Contains("test_batch.bin"),
                       FileError);
  write_bytes(folder / "test.bin", std::string(1, '\7').append(picture('\3', 'x')));
  CHECK(load_cifar100(folder.path(), DataSplit::test).labels == std::vector<Index>{3});
  write_bytes(folder / "test.bin", "too short");
  CHECK_THROWS_WITH_AS(load_cifar100(folder.path(), DataSplit::test),
                       doctest::Contains("its 9 bytes are not pictures"), FileError);
}

TEST_CASE("a folder with a folder for each class") {
  const TemporaryFolder folder;
  for (const char* name : {"dogs", "cats"}) {
    fs::create_directories(folder / name);
  }
  save_picture(folder / "cats/a.png", Tensor::full({1, 3, 8, 12}, 1));
  save_picture(folder / "dogs/b.png", Tensor::full({1, 3, 20, 10}, 0));
  save_picture(folder / "dogs/c.png", Tensor::full({1, 3, 4, 4}, 0.2));
  const LabelledPictures data = load_image_folder(folder.path(), 6);
  CHECK(data.classes == std::vector<std::string>{"cats", "dogs"});
  CHECK(data.labels == std::vector<Index>{0, 1, 1});
  CHECK(data.pictures(0, 1).to_vector() == std::vector<double>(108, 1));
  CHECK(data.pictures(2, 3)(0, 1, 3, 3) == doctest::Approx(0.2));
  CHECK_THROWS_WITH_AS(load_image_folder(folder / "cats", 6), doctest::Contains("it has no folders inside"),
                       FileError);
  CHECK_THROWS_AS(load_image_folder(folder / "none", 6), FileError);
  CHECK_THROWS_WITH_AS(load_image_folder(folder.path(), 0), doctest::Contains("side 0"), ArgumentError);
}

TEST_CASE("every epoch shows each picture once, and a stream can go on from any place") {
  const LabelledPictures data = numbered(7);
  LabelledBatches batches(data, {.batch = 5, .seed = 3});
  std::vector<Index> seen;
  std::vector<Tensor> pictures;
  for (int i = 0; i < 7; ++i) {
    const LabelledBatch batch = batches.next();
    seen.insert(seen.end(), batch.labels.begin(), batch.labels.end());
    pictures.push_back(batch.pictures);
    for (Index n = 0; n < 5; ++n) {
      CHECK(batch.pictures(n, 0, 1, 1) ==
            doctest::Approx(static_cast<double>(batch.labels[static_cast<std::size_t>(n)]) / 255));
    }
  }
  for (std::size_t epoch = 0; epoch < 5; ++epoch) {
    CHECK(std::set<Index>(seen.begin() + static_cast<std::ptrdiff_t>(7 * epoch),
                          seen.begin() + static_cast<std::ptrdiff_t>(7 * epoch + 7))
              .size() == 7);
  }
  CHECK_FALSE(std::equal(seen.begin(), seen.begin() + 7, seen.begin() + 7));
  LabelledBatches again(data, {.batch = 5, .seed = 3});
  again.set_position(15);
  CHECK(identical(again.next().pictures, pictures[3]));
  CHECK(again.position() == 20);
  CHECK(LabelledBatches(data, {.batch = 3, .shuffle = false}).next().labels == std::vector<Index>{0, 1, 2});
  CHECK_THROWS_AS(LabelledBatches(data, {.batch = 0}), ArgumentError);
  CHECK_THROWS_WITH_AS(LabelledBatches(data, {.shift = 2}), doctest::Contains("shift is 2"), ArgumentError);
  CHECK_THROWS_AS(LabelledBatches(numbered(0)), ArgumentError);
}

TEST_CASE("pictures are moved and mirrored") {
  LabelledPictures data{.channels = 1, .height = 3, .width = 3, .labels = {0}};
  for (int i = 1; i <= 9; ++i) {
    data.pixels.push_back(static_cast<std::uint8_t>(i));
  }
  std::set<std::vector<double>> seen;
  LabelledBatches batches(data, {.batch = 200, .flip = true, .shift = 1});
  const LabelledBatch batch = batches.next();
  for (Index n = 0; n < 200; ++n) {
    seen.insert(batch.pictures[n].to_vector());
  }
  CHECK(seen.size() == 18);  // nine places, each mirrored or not
  const auto scaled = [](std::vector<double> values) {
    for (double& v : values) v = static_cast<double>(static_cast<float>(v) / 255);
    return values;
  };
  CHECK(seen.contains(scaled({1, 2, 3, 4, 5, 6, 7, 8, 9})));
  CHECK(seen.contains(scaled({3, 2, 1, 6, 5, 4, 9, 8, 7})));
  CHECK(seen.contains(scaled({0, 0, 0, 0, 1, 2, 0, 4, 5})));
  CHECK(seen.contains(scaled({5, 4, 0, 8, 7, 0, 0, 0, 0})));
}
