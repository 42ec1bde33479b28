// MNIST and CIFAR, in the files that their authors publish.
#include <algorithm>
#include <sstream>

#include "gesso/core/files/file.h"
#include "gesso/core/files/inflate.h"
#include "gesso/training/labelled_pictures.h"

namespace gesso {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMost = std::uint64_t{2}
                                << 30;  // bytes; MNIST has 47 million, CIFAR 31 million a file

[[noreturn]] void fail(const fs::path& file, const std::string& why) {
  throw FileError(concat_text("cannot read '", file.string(), "': ", why));
}

// The file `name` in the first of the folders that has it; the first if none has.
fs::path find_in(const std::vector<fs::path>& folders, const std::string& name) {
  const auto found = std::find_if(folders.begin(), folders.end(),
                                  [&](const fs::path& folder) { return fs::exists(folder / name); });
  return (found == folders.end() ? folders.front() : *found) / name;
}

// ---- MNIST: http://yann.lecun.com/exdb/mnist, "FILE FORMATS": a magic number, the sizes, then bytes

struct Idx {
  fs::path file;
  std::string bytes;
  std::vector<Index> sizes;
  std::size_t begin = 0;  // of the numbers
};

std::string read_maybe_packed(const fs::path& file) {
  const std::string bytes = read_file(file.string(), kMost);
  if (!bytes.starts_with("\x1F\x8B")) {
    return bytes;
  }
  if (!detail::can_inflate()) {
    fail(file, "it is packed, and this build of gesso has no zlib (Debian: zlib1g-dev); unpack it by gunzip");
  }
  std::optional<std::string> unpacked = detail::gunzip(bytes, kMost);
  return unpacked ? std::move(*unpacked) : (fail(file, "it does not unpack: it is damaged"), "");
}

Idx read_idx(const std::vector<fs::path>& folders, const std::string& name, std::size_t rank) {
  fs::path file = find_in(folders, name);
  if (!fs::exists(file)) {
    const fs::path packed = find_in(folders, name + ".gz");
    file = fs::exists(packed) ? packed : file;
  }
  Idx idx{.file = file, .bytes = read_maybe_packed(file), .sizes = {}};
  const auto word = [&](std::size_t i) {  // big-endian
    std::uint32_t value = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      value = value << 8 | static_cast<unsigned char>(idx.bytes[4 * i + k]);
    }
    return value;
  };
  idx.begin = 4 + 4 * rank;
  if (idx.bytes.size() < idx.begin || word(0) != 0x800 + rank) {
    fail(file, concat_text("it is not a file of bytes in ", rank, " dimension(s) as MNIST's are"));
  }
  std::uint64_t count = 1;
  for (std::size_t i = 0; i < rank; ++i) {
    idx.sizes.push_back(word(i + 1));
    count = std::min(count, kMost) * word(i + 1);
  }
  if (count != idx.bytes.size() - idx.begin) {
    fail(file, concat_text("it says that it has ", count, " numbers and has ", idx.bytes.size() - idx.begin,
                           " (it is truncated or damaged)"));
  }
  return idx;
}

void number_classes(LabelledPictures& data) {
  const Index largest = data.labels.empty() ? -1 : *std::max_element(data.labels.begin(), data.labels.end());
  for (Index label = 0; label <= largest; ++label) {
    data.classes.push_back(std::to_string(label));
  }
}

// ---- CIFAR: https://www.cs.toronto.edu/~kriz/cifar.html, "Binary version": labels, then 3 planes of 32 x 32

// Appends the pictures of a file, each behind `labels` bytes, of which the last is the label.
void read_cifar(LabelledPictures& data, const fs::path& file, std::size_t label_bytes) {
  const std::string bytes = read_file(file.string(), kMost);
  const std::size_t record = label_bytes + 3 * 32 * 32;
  if (bytes.empty() || bytes.size() % record != 0) {
    fail(file, concat_text("its ", bytes.size(), " bytes are not pictures of ", record,
                           " bytes as CIFAR's binary version has them"));
  }
  for (std::size_t at = 0; at < bytes.size(); at += record) {
    data.labels.push_back(static_cast<unsigned char>(bytes[at + label_bytes - 1]));
    data.pixels.insert(data.pixels.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at + label_bytes),
                       bytes.begin() + static_cast<std::ptrdiff_t>(at + record));
  }
}

// Names from a file with one a line; numbers without one. Labels must be among them.
void name_classes(LabelledPictures& data, const fs::path& names, const fs::path& file, Index count) {
  if (fs::exists(names)) {
    std::istringstream lines(read_file(names.string(), 1 << 20));
    for (std::string line; std::getline(lines, line);) {
      if (!line.empty()) {
        data.classes.push_back(line);
      }
    }
  } else {
    for (Index label = 0; label < count; ++label) {
      data.classes.push_back(std::to_string(label));
    }
  }
  for (const Index label : data.labels) {
    if (label >= static_cast<Index>(data.classes.size())) {
      fail(file,
           concat_text("it has the label ", label, ", and there are ", data.classes.size(), " classes"));
    }
  }
}

std::vector<fs::path> mnist_folders(const fs::path& folder) {
  return {folder, folder / "MNIST/raw", folder / "raw"};
}
std::vector<fs::path> cifar10_folders(const fs::path& folder) {
  return {folder, folder / "cifar-10-batches-bin"};
}
std::vector<fs::path> cifar100_folders(const fs::path& folder) {
  return {folder, folder / "cifar-100-binary"};
}

}  // namespace

LabelledPictures load_mnist(const fs::path& folder, DataSplit split) {
  const std::string prefix = split == DataSplit::training ? "train" : "t10k";
  const std::vector<fs::path> folders = mnist_folders(folder);
  const Idx images = read_idx(folders, prefix + "-images-idx3-ubyte", 3);
  const Idx labels = read_idx(folders, prefix + "-labels-idx1-ubyte", 1);
  if (images.sizes[0] != labels.sizes[0]) {
    fail(labels.file, concat_text("it has ", labels.sizes[0], " labels for ", images.sizes[0], " pictures"));
  }
  LabelledPictures data{.channels = 1, .height = images.sizes[1], .width = images.sizes[2]};
  data.pixels.assign(images.bytes.begin() + static_cast<std::ptrdiff_t>(images.begin), images.bytes.end());
  for (std::size_t i = labels.begin; i < labels.bytes.size(); ++i) {
    data.labels.push_back(static_cast<unsigned char>(labels.bytes[i]));
  }
  number_classes(data);
  return data;
}

LabelledPictures load_cifar10(const fs::path& folder, DataSplit split) {
  const std::vector<fs::path> folders = cifar10_folders(folder);
  LabelledPictures data{.channels = 3, .height = 32, .width = 32};
  fs::path file;
  for (int i = 1; i <= (split == DataSplit::training ? 5 : 1); ++i) {
    file = find_in(folders,
                   split == DataSplit::training ? concat_text("data_batch_", i, ".bin") : "test_batch.bin");
    read_cifar(data, file, 1);
  }
  name_classes(data, find_in(folders, "batches.meta.txt"), file, 10);
  return data;
}

LabelledPictures load_cifar100(const fs::path& folder, DataSplit split) {
  const std::vector<fs::path> folders = cifar100_folders(folder);
  LabelledPictures data{.channels = 3, .height = 32, .width = 32};
  const fs::path file = find_in(folders, split == DataSplit::training ? "train.bin" : "test.bin");
  read_cifar(data, file, 2);
  name_classes(data, find_in(folders, "fine_label_names.txt"), file, 100);
  return data;
}

LabelledPictures load_data_set(const fs::path& folder, DataSplit split) {
  const auto has = [](const std::vector<fs::path>& folders, const std::string& name) {
    return fs::exists(find_in(folders, name));
  };
  const std::string digits = "train-images-idx3-ubyte", things = "data_batch_1.bin", hundred = "train.bin";
  if (has(mnist_folders(folder), digits) || has(mnist_folders(folder), digits + ".gz")) {
    return load_mnist(folder, split);
  }
  if (has(cifar10_folders(folder), things)) {
    return load_cifar10(folder, split);
  }
  if (has(cifar100_folders(folder), hundred)) {
    return load_cifar100(folder, split);
  }
  fail(folder, concat_text("it holds no ", digits, " (MNIST), no ", things,
                           " (CIFAR-10, binary version) and no ", hundred, " (CIFAR-100, binary version)"));
}

}  // namespace gesso
