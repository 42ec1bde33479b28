// A number for each of the two dimensions of a picture.
#pragma once

#include <ostream>

#include "gesso/core/index.h"

namespace gesso {

/// Height and width of a kernel, stride, padding or dilation. One number stands for both: options take
/// `.stride = 2` as well as `.stride = {2, 1}`.
struct Size2d {
  Size2d(Index both) : height(both), width(both) {}
  Size2d(Index h, Index w) : height(h), width(w) {}

  bool operator==(const Size2d&) const = default;

  Index height, width;
};

/// "3x5", height first.
inline std::ostream& operator<<(std::ostream& out, const Size2d& size) {
  return out << size.height << 'x' << size.width;
}

}  // namespace gesso
