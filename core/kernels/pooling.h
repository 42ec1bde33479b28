// Pooling kernels: the maximum and the sum of windows that slide over planes, and their gradients.
#pragma once

#include "gesso/core/planes.h"

namespace gesso {

/// Windows along one side of a picture: window i is pixels i * stride - padding and the kernel - 1 after it.
struct WindowsAlong {
  Index kernel = 2;
  Index stride = 2;
  Index padding = 0;       ///< at both ends
  bool ceil_mode = false;  ///< whether a last window may hang over beyond the padding, for what stride leaves

  /// The number of windows along a side of `size` pixels. One that hangs over begins inside the picture or
  /// the padding before it.
  Index count(Index size) const {
    const Index windows = (size + 2 * padding - kernel + (ceil_mode ? stride - 1 : 0)) / stride + 1;
    return ceil_mode && (windows - 1) * stride >= size + padding ? windows - 1 : windows;
  }
  bool operator==(const WindowsAlong&) const = default;
};

/// Windows over planes: row i and column j of them begin where those along each side do.
struct Windows {
  WindowsAlong down, across;

  Index rows(const Planes& planes) const { return down.count(planes.height); }
  Index columns(const Planes& planes) const { return across.count(planes.width); }
};

/// y = the largest pixel of each window; padding never counts. A window with a NaN gives NaN.
template <class T>
void max_pool(const Planes& planes, const Windows& windows, const T* x, T* y);

/// dx = dy passed back to the pixel that was the largest of its window (of equals the first, of NaNs the
/// last, in reading order, as in PyTorch), added up where windows overlap, else 0. x is the input again:
/// finding the largest pixels again takes less memory than remembering them.
template <class T>
void max_pool_backward(const Planes& planes, const Windows& windows, const T* x, const T* dy, T* dx);

/// y = the mean of each window; padding counts as 0, what hangs over beyond it not at all.
template <class T>
void avg_pool(const Planes& planes, const Windows& windows, const T* x, T* y);

/// dx = dy passed back to each pixel of its window, over the number of pixels that the mean was of.
template <class T>
void avg_pool_backward(const Planes& planes, const Windows& windows, const T* dy, T* dx);

}  // namespace gesso
