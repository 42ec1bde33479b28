// PyTorch's own files (.pt, .pth), read without Python: what torch.save() writes since 1.6, a zip archive, and what
// it wrote before and still can, a stream of pickles. A pickle can call any function of Python; here nothing is
// called: tensors and the dicts, lists and numbers around them are read, and a file that names anything else is
// refused with the names.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gesso/core/files/safetensors.h"
#include "gesso/core/tensor.h"

namespace gesso {

/// A file of torch.save() that is open: opening it reads and checks what it holds, load() reads one tensor.
///
/// Names are the keys of the dict that was saved; of dicts inside of dicts and of lists they are joined by dots
/// ("optimizer.state.0.exp_avg"). Where the weights are one entry among others, they alone are read, under their
/// own names: the entry "state_dict", "model", "model_state_dict", "model_state", "params_ema", "params", "generator",
/// "net" or "network", or the only one that has tensors in it. Where every name begins with "module."
/// (DataParallel's), that is dropped. What is not a tensor is left out.
///
/// Numbers are converted as SafetensorsReader does. A tensor may be a view with strides, and tensors may share
/// memory in the file; each is loaded as a tensor of its own.
class TorchReader {
 public:
  struct Entry {
    std::string dtype;  ///< in safetensors' words: "F32", "BF16", "I64", ...
    Shape shape;
  };

  /// Whether a file that begins with these bytes (8 are enough) may be one.
  static bool begins(std::string_view bytes);

  /// Throws FileError, naming the file and the reason, if it cannot be read, is not a file of torch.save() (a
  /// TorchScript program, say), is truncated, names more than tensors (see above), is too good to be true (a zip
  /// archive that would unpack to much more than its size, tensors with many more numbers than the file), or
  /// claims what is not there.
  explicit TorchReader(const std::string& path);
  ~TorchReader();
  TorchReader(const TorchReader&) = delete;
  TorchReader& operator=(const TorchReader&) = delete;

  /// The names, in the order of the file.
  const std::vector<std::string>& names() const;
  bool contains(const std::string& name) const;
  /// Throws FileError if there is no such entry.
  const Entry& entry(const std::string& name) const;
  /// One tensor. Throws FileError if there is none of that name, its dtype is not one that SafetensorsReader loads,
  /// it holds a whole number that float64 cannot, or it lies in a part of a zip archive that is damaged.
  Tensor load(const std::string& name) const;
  /// Throws FileError unless the checksums of a zip archive's parts are right; the older form has none.
  void verify() const;

 private:
  struct Contents;
  std::unique_ptr<const Contents> contents_;
};

}  // namespace gesso
