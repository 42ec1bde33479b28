// Files of weights, whoever wrote them: safetensors, or PyTorch's .pth and .pt. Which of them a file is shows in its
// first bytes, whatever its name ends with.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "gesso/core/files/safetensors.h"
#include "gesso/core/files/torch_file.h"

namespace gesso {

/// A file of named tensors that is open. safetensors.h and torch_file.h say what each form can hold and throw.
class WeightsReader {
 public:
  /// Throws FileError, naming the file and the reason, as the reader of its form does.
  explicit WeightsReader(const std::string& path);

  /// Whether it is a file of PyTorch's.
  bool is_torch() const;
  /// Of a safetensors file, without the checksum; PyTorch's have none.
  const Metadata& metadata() const;
  /// The names, in the order of the file.
  const std::vector<std::string>& names() const;
  bool contains(const std::string& name) const;
  /// The shape and dtype ("F32", ...) of one tensor. Both throw FileError if there is none of that name.
  Shape shape(const std::string& name) const;
  std::string dtype(const std::string& name) const;
  /// One tensor.
  Tensor load(const std::string& name) const;
  /// Throws FileError unless the file is what its checksums say, where it has some.
  void verify() const;

 private:
  std::variant<std::unique_ptr<SafetensorsReader>, std::unique_ptr<TorchReader>> reader_;
};

/// All tensors of the file, its checksums verified:
///
///     net.load_state_dict(load_weights("vgg16-397923af.pth"));
NamedTensors load_weights(const std::string& path);

}  // namespace gesso
