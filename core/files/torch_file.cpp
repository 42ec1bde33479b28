#include "gesso/core/files/torch_file.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <unordered_map>

#include "gesso/core/files/elements.h"
#include "gesso/core/files/file.h"
#include "gesso/core/files/pickle.h"
#include "gesso/core/files/torch_state.h"
#include "gesso/core/files/zip_archive.h"

namespace gesso {
namespace {

using detail::Pickle;
using detail::TorchStorage;
using detail::TorchTensor;

constexpr std::uint64_t kMaxPickle = 64 << 20;  // bytes; a pickle of 100,000 tensors has 20 million
// The tensor that has the strides, from the row of numbers that it reaches over.
Tensor gather(const Tensor& numbers, const TorchTensor& tensor) {
  const Shape& shape = tensor.shape;
  Tensor result = Tensor::empty(shape, numbers.dtype());
  with_dtype(numbers.dtype(), [&]<class T>() {
    const T* from = numbers.data<T>();
    T* to = result.mutable_data<T>("load");
    std::vector<Index> index(static_cast<std::size_t>(shape.rank()));
    std::uint64_t at = 0;
    for (Index i = 0; i < shape.numel(); ++i) {
      to[i] = from[at];
      for (int d = shape.rank() - 1; d >= 0; --d) {  // the next index, like an odometer
        const auto digit = static_cast<std::size_t>(d);
        at += tensor.strides[digit];
        if (++index[digit] < shape[d]) {
          break;
        }
        at -= tensor.strides[digit] * static_cast<std::uint64_t>(shape[d]);
        index[digit] = 0;
      }
    }
  });
  return result;
}

}  // namespace

struct TorchReader::Contents {
  std::string path;
  InputFile file;
  std::optional<detail::ZipArchive> archive;  // none: the older form
  Pickle pickle;
  detail::TorchStorages storages;
  detail::TorchState state;
  std::unordered_map<std::string, Entry> entries;  // what of the state is shown outside

  [[noreturn]] void fail(const std::string& why) const {
    throw FileError(concat_text("cannot read '", path, "': ", why));
  }
  [[noreturn]] void fail(const std::string& name, const std::string& why) const {
    fail(concat_text("entry '", name, "': ", why));
  }

  explicit Contents(const std::string& file_path) : path(file_path), file(file_path) {
    const std::string head = file.read(0, std::min<std::uint64_t>(file.size(), 512));
    if (detail::ZipArchive::begins(head)) {
      open_archive();
    } else if (head.size() == 512 && head.compare(257, 5, "ustar") == 0) {
      fail(
          "it is a tar archive, of PyTorch before 0.1.10; load it in Python and save it again with torch.save()");
    } else if (TorchReader::begins(head)) {
      open_stream();
    } else {
      fail("it is not a file of torch.save()");
    }
    state = detail::find_torch_tensors(
        pickle, storages,
        [&](const std::string& name, const std::string& why) { name.empty() ? fail(why) : fail(name, why); });
    pickle = {};
    for (const auto& [name, tensor] : state.tensors) {
      entries.emplace(name, Entry{tensor.dtype, tensor.shape});
    }
  }

  // ---- the two forms

  Pickle read_pickle(std::string_view bytes) const {
    return detail::read_pickle(bytes, detail::is_torch_global, [&](const std::string& why) { fail(why); });
  }

  // A zip archive: NAME/data.pkl, and the storage with key k in NAME/data/k.
  void open_archive() {
    archive.emplace(file, [this](const std::string& why) { fail(why); });
    std::string folder;
    const detail::ZipArchive::Entry* data = nullptr;
    for (const detail::ZipArchive::Entry& entry : archive->entries()) {
      if (entry.name.ends_with("/data.pkl") && entry.name.find('/') == entry.name.size() - 9) {
        data = &entry;
        folder = entry.name.substr(0, entry.name.size() - 8);
      }
    }
    if (data == nullptr) {
      fail("it is a zip archive without a data.pkl, and not a file of torch.save()");
    }
    if (archive->find(folder + "constants.pkl") != nullptr) {
      fail(
          "it is a TorchScript program; in Python, load it with torch.jit.load() and save its state_dict() "
          "with torch.save()");
    }
    if (const auto* order = archive->find(folder + "byteorder"); order != nullptr && order->size < 100) {
      if (archive->read(*order) != "little") {
        fail("its numbers are big-endian; in Python, save it again on a little-endian machine");
      }
    }
    if (data->size > kMaxPickle) {
      fail(concat_text("its pickle has ", data->size, " bytes, which is more than tensors need"));
    }
    pickle = read_pickle(archive->read(*data));
    collect_storages();
    for (TorchStorage& storage : storages.all) {
      const detail::ZipArchive::Entry* entry = archive->find(folder + "data/" + storage.key);
      if (entry == nullptr) {
        fail(concat_text("the numbers of storage '", storage.key, "' are not in the archive"));
      }
      if (entry->size / storage.element_bytes < storage.count) {
        fail(concat_text("storage '", storage.key, "' is to have ", storage.count, " numbers in ",
                         entry->size, " bytes"));
      }
      storage.entry = entry;
      storage.at = entry->at;
    }
  }

  // A stream: pickles of a magic number, a version, the machine, what was saved, and the keys of the storages,
  // whose numbers follow in that order, each behind its count.
  void open_stream() {
    const std::string head = file.read(0, std::min(file.size(), kMaxPickle));
    std::uint64_t at = 0;
    const auto next = [&] {
      Pickle read = read_pickle(std::string_view(head).substr(at));
      at += read.size;
      return read;
    };
    if (const Pickle magic = next(); magic[magic.root].text != "\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19") {
      fail("it is a pickle, but not a file of torch.save()");
    }
    next();  // the version, 1001 since there is one
    const Pickle machine = next();
    const std::vector<std::uint32_t>& facts = machine[machine.root].items;
    for (std::size_t i = 0; i + 1 < facts.size(); i += 2) {
      if (machine[facts[i]].text == "little_endian" && machine[facts[i + 1]].integer == 0) {
        fail("its numbers are big-endian; in Python, save it again on a little-endian machine");
      }
    }
    pickle = next();
    collect_storages();
    const Pickle keys = next();
    for (const std::uint32_t key : keys[keys.root].items) {
      if (file.size() < 8 || at > file.size() - 8) {
        fail("the file ends before its numbers do (it is truncated)");
      }
      std::uint64_t count = 0;
      file.read(at, &count, sizeof count);
      at += sizeof count;
      const auto found = storages.of_key.find(keys[key].text);
      if (found == storages.of_key.end()) {
        fail(concat_text("no tensor has the storage '", keys[key].text, "', so its size is not known"));
      }
      TorchStorage& storage = storages.all[found->second];
      if (count < storage.count) {
        fail(concat_text("storage '", storage.key, "' is to have ", storage.count, " numbers and has ", count,
                         "; the file is damaged"));
      }
      if (count > (file.size() - at) / storage.element_bytes) {
        fail(concat_text("the file ends before the ", count, " numbers of storage '", storage.key,
                         "' do (it is truncated)"));
      }
      storage.at = at;
      at += count * storage.element_bytes;
    }
    for (const TorchStorage& storage : storages.all) {
      if (storage.at == 0) {
        fail(concat_text("the numbers of storage '", storage.key, "' are not in the file"));
      }
    }
  }

  void collect_storages() {
    storages = detail::collect_torch_storages(pickle, [&](const std::string& why) { fail(why); });
  }

  const TorchTensor& find(const std::string& name) const {
    const auto found = state.tensors.find(name);
    if (found == state.tensors.end()) {
      fail(concat_text("it has no tensor '", name, "'"));
    }
    return found->second;
  }

  // Bytes of a storage that is stored as it is; of a deflated one, which is unpacked for it.
  detail::ReadBytes reader_of(const TorchStorage& storage, std::uint64_t begin) const {
    if (storage.entry != nullptr && storage.entry->deflated) {
      auto bytes = std::make_shared<const std::string>(archive->read(*storage.entry));
      return [bytes, begin](std::uint64_t offset, void* to, std::size_t count) {
        std::memcpy(to, bytes->data() + begin + offset, count);
      };
    }
    return [this, at = storage.at + begin](std::uint64_t offset, void* to, std::size_t count) {
      file.read(at + offset, to, count);
    };
  }

  Tensor load(const std::string& name) const {
    const TorchTensor& tensor = find(name);
    const detail::ElementFormat& format = *detail::find_element_format(tensor.dtype);
    const Shape reach = {static_cast<Index>(tensor.reach)};
    const bool contiguous = tensor.is_contiguous();
    const Tensor numbers =
        detail::read_elements(format, contiguous ? tensor.shape : reach,
                              reader_of(storages.all[tensor.storage], tensor.offset * format.bits / 8),
                              [&](const std::string& why) { fail(name, why); });
    return contiguous ? numbers : gather(numbers, tensor);
  }
};

bool TorchReader::begins(std::string_view bytes) {
  const bool pickle = bytes.size() >= 2 && bytes[0] == '\x80' && bytes[1] >= 2 && bytes[1] <= 5;
  return pickle || detail::ZipArchive::begins(bytes);
}

TorchReader::TorchReader(const std::string& path) : contents_(std::make_unique<const Contents>(path)) {}

TorchReader::~TorchReader() = default;

const std::vector<std::string>& TorchReader::names() const { return contents_->state.names; }

bool TorchReader::contains(const std::string& name) const { return contents_->state.tensors.contains(name); }

const TorchReader::Entry& TorchReader::entry(const std::string& name) const {
  contents_->find(name);  // throws
  return contents_->entries.at(name);
}

Tensor TorchReader::load(const std::string& name) const { return contents_->load(name); }

void TorchReader::verify() const {
  for (const detail::TorchStorage& storage : contents_->storages.all) {
    if (storage.entry != nullptr) {
      contents_->archive->verify(*storage.entry);
    }
  }
}

}  // namespace gesso
