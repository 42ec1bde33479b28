// A number for each of the two dimensions of a picture.
#pragma once

#include <cstdint>
#include <ostream>

namespace gesso {

/// Height and width of a kernel, stride, padding or dilation. One number stands for both: options take
/// `.stride = 2` as well as `.stride = {2, 1}`.
struct Size2d {
  Size2d(std::int64_t both) : height(both), width(both) {}
  Size2d(std::int64_t h, std::int64_t w) : height(h), width(w) {}

  bool operator==(const Size2d&) const = default;

  std::int64_t height, width;
};

/// "3x5", height first.
inline std::ostream& operator<<(std::ostream& out, const Size2d& size) {
  return out << size.height << 'x' << size.width;
}

}  // namespace gesso
