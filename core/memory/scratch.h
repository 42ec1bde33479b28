// Working memory of a kernel for the duration of one block of a parallel loop.
#pragma once

#include <cstddef>

#include "gesso/core/index.h"

namespace gesso {

namespace detail {
void* scratch_bytes(std::size_t bytes);
}

/// At least `count` elements, 64-byte aligned, contents undefined: memory of the calling thread that is kept
/// and grows to the largest request. Valid until the next call on the same thread. For buffers of about the
/// size of a cache; larger ones belong in a Tensor, where they are counted.
template <class T>
T* scratch(Index count) {
  return static_cast<T*>(detail::scratch_bytes(static_cast<std::size_t>(count) * sizeof(T)));
}

}  // namespace gesso
