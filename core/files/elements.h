// Numbers as files of weights hold them, and what they become in a Tensor. Not for use outside of core/files:
// safetensors.h and torch_file.h are the doors.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "gesso/core/tensor.h"

namespace gesso::detail {

/// How one number is written, under safetensors' name for it.
struct ElementFormat {
  std::string_view name;   ///< "F32"
  std::uint64_t bits = 0;  ///< of one element
  bool readable = false;   ///< whether read_elements() knows it
};

/// The format of that name, or null.
const ElementFormat* find_element_format(std::string_view name);

/// The names that read_elements() knows, for error texts: "F32, F64, ...".
std::string readable_element_formats();

/// Reads bytes offset ... offset + count - 1 to `to`. Must throw when it cannot.
using ReadBytes = std::function<void(std::uint64_t offset, void* to, std::size_t count)>;

/// A tensor of the numbers that `read` gives, each exactly. F64, I64, U64, I32 and U32 become float64, all others
/// float32; a BOOL becomes 0 or 1. Numbers are little-endian. Calls complain(), which must throw, for a format that
/// is not readable and for whole numbers that float64 cannot hold.
Tensor read_elements(const ElementFormat& format, const Shape& shape, const ReadBytes& read,
                     const std::function<void(const std::string& why)>& complain);

}  // namespace gesso::detail
