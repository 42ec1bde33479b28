// Pictures with a label each, to train and test classifiers on: the data sets that everybody begins with, in the files
// that their authors publish, and folders of pictures.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "gesso/core/tensor.h"

namespace gesso {

/// Pictures of one size, held in memory as bytes.
struct LabelledPictures {
  Index channels = 0, height = 0, width = 0;
  std::vector<std::uint8_t> pixels = {};  ///< size() pictures (channels, height, width), 0 to 255
  std::vector<Index> labels = {};         ///< of each picture: its place among the classes
  std::vector<std::string> classes = {};  ///< their names

  Index size() const { return static_cast<Index>(labels.size()); }
  /// Pictures begin <= i < end as (end - begin, channels, height, width) in [0, 1]. Throws ArgumentError unless
  /// 0 <= begin <= end <= size().
  Tensor pictures(Index begin, Index end) const;
};

enum class DataSplit { training, test };

/// Handwritten digits, MNIST's and those of the same form (Fashion-MNIST, EMNIST's digits): the files
/// train-images-idx3-ubyte and train-labels-idx1-ubyte, or t10k-..., as they are or with .gz, in `folder` or in
/// MNIST/raw or raw inside it, where torchvision puts them. Any size of pictures; classes are "0" to the largest label.
/// Throws FileError, as the three below do, naming the file, where one is missing, damaged or not of that form.
LabelledPictures load_mnist(const std::filesystem::path& folder, DataSplit split);

/// CIFAR-10 in its binary version: data_batch_1.bin to data_batch_5.bin or test_batch.bin, and batches.meta.txt with
/// the names (without it classes are numbers), in `folder` or in cifar-10-batches-bin inside it.
LabelledPictures load_cifar10(const std::filesystem::path& folder, DataSplit split);

/// CIFAR-100 in its binary version, by its fine labels: train.bin or test.bin, and fine_label_names.txt, in `folder` or
/// in cifar-100-binary inside it.
LabelledPictures load_cifar100(const std::filesystem::path& folder, DataSplit split);

/// Whichever of the three `folder` holds, told by the names of its files. Throws FileError, saying what it looked for,
/// where it holds none of them.
LabelledPictures load_data_set(const std::filesystem::path& folder, DataSplit split);

/// torchvision's ImageFolder: a folder inside `folder` for each class, sorted by name, with pictures in it and in the
/// folders inside. Each is scaled to the short side `side` and its middle square taken; grey ones become red, green and
/// blue too. Also throws ArgumentError unless `side` is from 1 to 1024.
LabelledPictures load_image_folder(const std::filesystem::path& folder, Index side);

struct LabelledBatchesOptions {
  Index batch = 64;
  bool shuffle = true;  ///< a new random order in every epoch; false: always that of the data
  bool flip = false;    ///< mirrors each picture with probability 1/2: for things, not for letters
  Index shift = 0;  ///< moves each picture by up to so many pixels up, down, left or right; black comes in
  std::uint64_t seed = 1;  ///< decides the orders and all changes
};

struct LabelledBatch {
  Tensor pictures;  ///< (batch, channels, height, width) in [0, 1]
  std::vector<Index> labels;
};

/// An endless stream of batches: every epoch shows each picture once. A batch may hold the end of one epoch and the
/// beginning of the next. Data, options and position alone decide what comes next.
///
///     LabelledPictures digits = load_mnist("data", DataSplit::training);
///     LabelledBatches batches(digits, {.batch = 64});
///     auto [pictures, labels] = batches.next();
class LabelledBatches {
 public:
  /// `data` must live as long. Throws ArgumentError if it is empty, and for options out of range.
  explicit LabelledBatches(const LabelledPictures& data, const LabelledBatchesOptions& options = {});

  LabelledBatch next();

  /// How many pictures have been shown: with data and options, that decides all that follows.
  Index position() const { return position_; }
  /// Goes on from there. Throws ArgumentError for a negative position.
  void set_position(Index position);

 private:
  void prepare_order();

  const LabelledPictures& data_;
  LabelledBatchesOptions options_;
  Index position_ = 0;
  Index epoch_of_order_ = -1;
  std::vector<Index> order_;
};

}  // namespace gesso
