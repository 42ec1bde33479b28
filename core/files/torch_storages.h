// How the pickle of a PyTorch file speaks of storages, the rows of numbers that tensors look at, and of dtypes. Not
// for use outside of core/files: torch_file.h is the door.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "gesso/core/files/pickle.h"
#include "gesso/core/files/zip_archive.h"

namespace gesso::detail {

/// The format, in safetensors' words, of a storage of the class `global`: "F32" of "torch.FloatStorage"; "" of what
/// is not one.
std::string torch_storage_format(const std::string& global);

/// The same of a dtype: "F32" of "torch.float32".
std::string torch_dtype_format(const std::string& global);

struct TorchStorage {
  std::string key;
  std::string format;               ///< "" where its tensors know it
  std::uint64_t count = 0;          ///< numbers
  std::uint64_t element_bytes = 1;  ///< of each
  std::uint64_t view_offset = 0;    ///< number at which the storage begins inside the one that is in the file

  // Where it is, filled in by the reader.
  const ZipArchive::Entry* entry = nullptr;  ///< in an archive
  std::uint64_t at = 0;                      ///< in the file
};

/// The storages of a file, each once.
struct TorchStorages {
  std::vector<TorchStorage> all;
  std::unordered_map<std::string, std::size_t> of_key;  ///< where in `all`
};

/// What the persistent id ("storage", class, key, device, count[, view]) says. Calls complain(), which must throw,
/// for another.
TorchStorage read_torch_storage(const Pickle& pickle, const PickleValue& persistent,
                                const std::function<void(const std::string& why)>& complain);

/// The storages that the pickle speaks of, each as large as it is said to be anywhere. Complains of one that is said
/// to be of two dtypes, and as read_torch_storage() does.
TorchStorages collect_torch_storages(const Pickle& pickle,
                                     const std::function<void(const std::string& why)>& complain);

}  // namespace gesso::detail
