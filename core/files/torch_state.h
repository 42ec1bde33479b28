// What the pickle of a PyTorch file was made of: which tensors it holds, under which names. Not for use outside of
// core/files: torch_file.h is the door.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "gesso/core/files/pickle.h"
#include "gesso/core/files/torch_storages.h"
#include "gesso/core/shape.h"

namespace gesso::detail {

/// A tensor: element (i, j, ...) is number offset + i * strides[0] + j * strides[1] + ... of a storage.
struct TorchTensor {
  std::string dtype;
  Shape shape;
  std::size_t storage = 0;
  std::uint64_t offset = 0;
  std::vector<std::uint64_t> strides;
  std::uint64_t reach = 0;  ///< numbers from the first to the last, both counted

  /// Whether its elements lie one after the other.
  bool is_contiguous() const;
};

struct TorchState {
  std::vector<std::string> names;  ///< in the order of the file
  std::unordered_map<std::string, TorchTensor> tensors;
};

/// Whether reading tensors has a use for this global of Python's.
bool is_torch_global(const std::string& global);

/// The tensors of the file, under the names that torch_file.h describes. Calls complain(), which must throw, with
/// the tensor at fault or "", for tensors that lie outside of their storages, tensors with more than 16 times as
/// many numbers as all storages (views of the same numbers may claim any size: a file of kilobytes could fill the
/// memory), and dicts that are nested too deeply.
TorchState find_torch_tensors(
    const Pickle& pickle, const TorchStorages& storages,
    const std::function<void(const std::string& name, const std::string& why)>& complain);

}  // namespace gesso::detail
