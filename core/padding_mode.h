// What a padded picture shows beyond the picture itself.
#pragma once

#include "gesso/core/index.h"

namespace gesso {

/// What the frame of a padded picture is filled with. For a row a b c d, padded by 2:
enum class PaddingMode {
  zeros,      ///< 0 0 a b c d 0 0
  reflect,    ///< c b a b c d c b: mirrored at the edge pixel; needs a picture larger than the padding
  replicate,  ///< a a a b c d d d
};

inline const char* name_of(PaddingMode mode) {
  return mode == PaddingMode::zeros ? "zeros" : mode == PaddingMode::reflect ? "reflect" : "replicate";
}

/// The position in 0 <= i < size whose value a padded row (or column) of `size` shows at position k, counted
/// from the first value of the row itself: k itself inside. -1 where it shows zero, and where a reflection
/// would go beyond the other end.
inline Index padding_source(Index k, Index size, PaddingMode mode) {
  if (0 <= k && k < size) {
    return k;
  }
  switch (mode) {
    case PaddingMode::zeros:
      return -1;
    case PaddingMode::reflect: {
      const Index mirrored = k < 0 ? -k : 2 * (size - 1) - k;
      return 0 <= mirrored && mirrored < size ? mirrored : -1;
    }
    case PaddingMode::replicate:
      return k < 0 ? 0 : size - 1;
  }
  return -1;
}

}  // namespace gesso
