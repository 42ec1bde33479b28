#include "gesso/core/kernels/adaptive_pooling.h"

#include <algorithm>

#include "gesso/core/kernels/elementwise.h"

namespace gesso {
namespace {

// Pixels first <= i < last of a side of `size` are in window `index` of `count`.
struct Span {
  Span(Index index, Index count, Index size)
      : first(index * size / count), last(divide_up((index + 1) * size, count)) {}
  Index pixels() const { return last - first; }
  Index first, last;
};

// Calls body(plane, rows, columns, window) for each window of each plane, planes in parallel: windows that overlap
// add to the same pixels.
template <class Body>
void each_window(const Planes& planes, Size2d size, Body body) {
  const Index work = std::max(planes.height * planes.width, size.height * size.width);
  parallel_for(planes.count, std::max<Index>(1, kElementwiseBlock / work), [&](Index begin, Index end) {
    for (Index p = begin; p < end; ++p) {
      for (Index i = 0; i < size.height; ++i) {
        for (Index j = 0; j < size.width; ++j) {
          body(p, Span(i, size.height, planes.height), Span(j, size.width, planes.width),
               (p * size.height + i) * size.width + j);
        }
      }
    }
  });
}

}  // namespace

template <class T>
void adaptive_avg_pool(const Planes& planes, Size2d size, const T* x, T* y) {
  each_window(planes, size, [&](Index p, const Span& rows, const Span& columns, Index window) {
    const T* plane = x + p * planes.height * planes.width;
    double sum = 0;
    for (Index a = rows.first; a < rows.last; ++a) {
      for (Index b = columns.first; b < columns.last; ++b) {
        sum += static_cast<double>(plane[a * planes.width + b]);
      }
    }
    y[window] = static_cast<T>(sum / static_cast<double>(rows.pixels() * columns.pixels()));
  });
}

template <class T>
void adaptive_avg_pool_backward(const Planes& planes, Size2d size, const T* dy, T* dx) {
  std::fill(dx, dx + planes.count * planes.height * planes.width, T{0});
  each_window(planes, size, [&](Index p, const Span& rows, const Span& columns, Index window) {
    T* plane = dx + p * planes.height * planes.width;
    const T share = dy[window] / static_cast<T>(rows.pixels() * columns.pixels());
    for (Index a = rows.first; a < rows.last; ++a) {
      for (Index b = columns.first; b < columns.last; ++b) {
        plane[a * planes.width + b] += share;
      }
    }
  });
}

#define GESSO_INSTANTIATE(T)                                            \
  template void adaptive_avg_pool(const Planes&, Size2d, const T*, T*); \
  template void adaptive_avg_pool_backward(const Planes&, Size2d, const T*, T*);
GESSO_INSTANTIATE(float)
GESSO_INSTANTIATE(double)
#undef GESSO_INSTANTIATE

}  // namespace gesso
