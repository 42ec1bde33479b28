// safetensors: named tensors and text metadata in one file that PyTorch, NumPy and others read
// (https://github.com/huggingface/safetensors, "Format"): 8 bytes with the length of a JSON header, the
// header, then the numbers. Files from others are not trusted: everything that the header claims is checked.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gesso/core/tensor.h"

namespace gesso {

using NamedTensors = std::vector<std::pair<std::string, Tensor>>;
using Metadata = std::map<std::string, std::string>;

/// Whether every value is one that F16 can hold, rounded: below 65520 in magnitude, and no NaN.
bool fits_float16(const Tensor& tensor);

struct SafetensorsOptions {
  /// Tensors that are written as I64, as PyTorch keeps counters (num_batches_tracked); their values must be whole
  /// numbers.
  std::set<std::string> int64 = {};
  /// Tensors that are rounded to F16: half the bytes, three digits, for weights that will not be trained further.
  std::set<std::string> float16 = {};
  /// Adds the metadata "checksum", "crc32:" and eight digits: the CRC-32 of the file with zeros in place of the
  /// digits. (Not in builds without zlib.) Reading the whole file then finds out when any of it has changed.
  bool checksum = false;
};

/// Writes `tensors` (float32 as F32, float64 as F64, but for those in the options) and `metadata` to `path`,
/// complete or not at all. Throws ArgumentError, naming the entry, for a name given twice, "__metadata__" (the
/// format's own word), text that is not UTF-8, an undefined tensor, and an int64 or float16 name or value that
/// does not fit; FileError when the file cannot be written.
void save_safetensors(const std::string& path, const NamedTensors& tensors, const Metadata& metadata = {},
                      const SafetensorsOptions& options = {});

struct SafetensorsFile {
  NamedTensors tensors;   ///< in the order of the header
  Metadata metadata;      ///< without the checksum
  bool checksum = false;  ///< it has one, which is right
};

/// The whole of a safetensors file, its checksum verified if it has one; throws as SafetensorsReader does.
SafetensorsFile load_safetensors(const std::string& path);

/// A safetensors file that is open: opening it reads and checks the header, load() reads one tensor, exactly: F64,
/// I64, U64, I32 and U32 as float64; F32, F16, BF16, I16, I8, U16, U8 and BOOL (0 or 1) as float32. Other dtypes
/// (F8_E4M3, C64, F4, ...) are listed like these, but not loaded.
class SafetensorsReader {
 public:
  struct Entry {
    std::string dtype;  ///< as in the file: "F32", "BF16", ...
    Shape shape;
    std::uint64_t begin, end;  ///< bytes, counted from the first after the header
  };

  /// Throws FileError, naming the file, the entry and the reason, if it cannot be read, is not a safetensors
  /// file, is truncated, or its header does not fit the data: a shape that disagrees with its bytes, bytes
  /// used twice or not at all.
  explicit SafetensorsReader(const std::string& path);
  ~SafetensorsReader();
  SafetensorsReader(const SafetensorsReader&) = delete;
  SafetensorsReader& operator=(const SafetensorsReader&) = delete;

  /// Without the checksum.
  const Metadata& metadata() const;
  /// Whether the file has a checksum.
  bool has_checksum() const;
  /// The names, in the order of the header.
  const std::vector<std::string>& names() const;
  bool contains(const std::string& name) const;
  /// Throws FileError if there is no such entry.
  const Entry& entry(const std::string& name) const;
  /// One tensor. Throws FileError if there is none of that name, it has a dtype other than those above, it holds
  /// a whole number that float64 cannot, or the file became shorter in the meantime.
  Tensor load(const std::string& name) const;
  /// Reads the whole file and throws FileError unless it is what its checksum says; without one (and in builds
  /// without zlib) nothing is read.
  void verify() const;

 private:
  struct Contents;
  std::unique_ptr<const Contents> contents_;
};

}  // namespace gesso
