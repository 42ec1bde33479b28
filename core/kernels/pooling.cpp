#include "gesso/core/kernels/pooling.h"

#include <algorithm>
#include <cmath>

#include "gesso/core/kernels/elementwise.h"
#include "gesso/core/kernels/pixel_blocks.h"

namespace gesso {
namespace {

// Whether the windows are the blocks of 2x2 pixels, the usual case, which has kernels of its own.
bool are_pairs(const Windows& w) { return w.kernel == 2 && w.stride == 2 && w.padding == 0; }
bool are_blocks(const Windows& w) { return w.kernel == w.stride && w.padding == 0; }

// Pixels first <= i < last of a side are in window `index`.
struct Span {
  Span(const Windows& windows, Index index, Index size)
      : first(std::max<Index>(0, index * windows.stride - windows.padding)),
        last(std::min(size, index * windows.stride - windows.padding + windows.kernel)) {}
  Index first, last;
};

// Whether `value` takes the place of `best`; true for each NaN, so that NaN stays.
template <class T>
bool beats(T value, T best) {
  return value > best || std::isnan(value);
}

// The place in the plane x of the largest pixel of a window.
template <class T>
Index largest_in(const T* x, Index width, Span rows, Span columns) {
  Index best = rows.first * width + columns.first;
  for (Index i = rows.first; i < rows.last; ++i) {
    for (Index j = columns.first; j < columns.last; ++j) {
      best = beats(x[i * width + j], x[best]) ? i * width + j : best;
    }
  }
  return best;
}

template <class T>
GESSO_SIMD void max_of_pairs(const T* top, const T* bottom, Index n, T* y) {
  for (Index j = 0; j < n; ++j) {
    T best = top[2 * j];
    best = beats(top[2 * j + 1], best) ? top[2 * j + 1] : best;
    best = beats(bottom[2 * j], best) ? bottom[2 * j] : best;
    best = beats(bottom[2 * j + 1], best) ? bottom[2 * j + 1] : best;
    y[j] = best;
  }
}

// The gradient stays with the best pixel so far until another one beats it. Written as plain choices between
// two numbers, and with __restrict, because the compiler does not vectorise branches.
template <class T>
GESSO_SIMD void max_of_pairs_backward(const T* __restrict top, const T* __restrict bottom,
                                      const T* __restrict dy, Index n, T* __restrict dtop,
                                      T* __restrict dbottom) {
  for (Index j = 0; j < n; ++j) {
    const T b = top[2 * j + 1], c = bottom[2 * j], d = bottom[2 * j + 1], g = dy[j];
    T best = top[2 * j], da = g, db = 0, dc = 0, dd = 0;
    da = beats(b, best) ? T{0} : da;
    db = beats(b, best) ? g : db;
    best = beats(b, best) ? b : best;
    da = beats(c, best) ? T{0} : da;
    db = beats(c, best) ? T{0} : db;
    dc = beats(c, best) ? g : dc;
    best = beats(c, best) ? c : best;
    da = beats(d, best) ? T{0} : da;
    db = beats(d, best) ? T{0} : db;
    dc = beats(d, best) ? T{0} : dc;
    dd = beats(d, best) ? g : dd;
    dtop[2 * j] = da;
    dtop[2 * j + 1] = db;
    dbottom[2 * j] = dc;
    dbottom[2 * j + 1] = dd;
  }
}

// Calls body(plane, i) for each row i of windows of each plane, in parallel.
template <class Body>
void each_window_row(const Planes& planes, const Windows& windows, Body body) {
  const Index rows = windows.count(planes.height);
  const Index work = windows.kernel * windows.kernel * windows.count(planes.width);
  parallel_for(planes.count * rows, std::max<Index>(1, kElementwiseBlock / work),
               [&](Index begin, Index end) {
                 for (Index r = begin; r < end; ++r) {
                   body(r / rows, r % rows);
                 }
               });
}

// Calls body(plane) for each plane, in parallel: windows that overlap add to the same pixels.
template <class Body>
void each_plane(const Planes& planes, Body body) {
  const Index pixels = std::max<Index>(1, planes.height * planes.width);
  parallel_for(planes.count, std::max<Index>(1, kElementwiseBlock / pixels), [&](Index begin, Index end) {
    for (Index p = begin; p < end; ++p) {
      body(p);
    }
  });
}

}  // namespace

template <class T>
void max_pool(const Planes& planes, const Windows& windows, const T* x, T* y) {
  const Index rows = windows.count(planes.height), columns = windows.count(planes.width);
  const Index width = planes.width;
  each_window_row(planes, windows, [&](Index plane, Index i) {
    const T* from = x + plane * planes.height * width;
    T* to = y + (plane * rows + i) * columns;
    if (are_pairs(windows)) {
      max_of_pairs(from + 2 * i * width, from + (2 * i + 1) * width, columns, to);
      return;
    }
    for (Index j = 0; j < columns; ++j) {
      to[j] = from[largest_in(from, width, {windows, i, planes.height}, {windows, j, width})];
    }
  });
}

template <class T>
void max_pool_backward(const Planes& planes, const Windows& windows, const T* x, const T* dy, T* dx) {
  const Index rows = windows.count(planes.height), columns = windows.count(planes.width);
  const Index width = planes.width;
  each_plane(planes, [&](Index plane) {
    const T* from = x + plane * planes.height * width;
    T* to = dx + plane * planes.height * width;
    const T* upstream = dy + plane * rows * columns;
    if (are_pairs(windows)) {
      for (Index i = 0; i < rows; ++i) {
        const Index top = 2 * i * width, bottom = top + width;
        max_of_pairs_backward(from + top, from + bottom, upstream + i * columns, columns, to + top,
                              to + bottom);
        std::fill(to + top + 2 * columns, to + bottom, T{0});
        std::fill(to + bottom + 2 * columns, to + bottom + width, T{0});
      }
      std::fill(to + 2 * rows * width, to + planes.height * width, T{0});
      return;
    }
    std::fill(to, to + planes.height * width, T{0});
    for (Index i = 0; i < rows; ++i) {
      for (Index j = 0; j < columns; ++j) {
        to[largest_in(from, width, {windows, i, planes.height}, {windows, j, width})] +=
            upstream[i * columns + j];
      }
    }
  });
}

template <class T>
void sum_pool(const Planes& planes, const Windows& windows, T factor, const T* x, T* y) {
  if (are_blocks(windows)) {
    sum_blocks(planes, windows.kernel, factor, x, y);
    return;
  }
  const Index rows = windows.count(planes.height), columns = windows.count(planes.width);
  each_window_row(planes, windows, [&](Index plane, Index i) {
    const T* from = x + plane * planes.height * planes.width;
    T* to = y + (plane * rows + i) * columns;
    const Span down(windows, i, planes.height);
    for (Index j = 0; j < columns; ++j) {
      const Span across(windows, j, planes.width);
      T sum = 0;
      for (Index a = down.first; a < down.last; ++a) {
        for (Index b = across.first; b < across.last; ++b) {
          sum += from[a * planes.width + b];
        }
      }
      to[j] = factor * sum;
    }
  });
}

template <class T>
void sum_pool_backward(const Planes& planes, const Windows& windows, T factor, const T* dy, T* dx) {
  if (are_blocks(windows)) {
    repeat_blocks(planes, windows.kernel, factor, dy, dx);
    return;
  }
  const Index rows = windows.count(planes.height), columns = windows.count(planes.width);
  each_plane(planes, [&](Index plane) {
    T* to = dx + plane * planes.height * planes.width;
    const T* upstream = dy + plane * rows * columns;
    std::fill(to, to + planes.height * planes.width, T{0});
    for (Index i = 0; i < rows; ++i) {
      const Span down(windows, i, planes.height);
      for (Index j = 0; j < columns; ++j) {
        const Span across(windows, j, planes.width);
        const T value = factor * upstream[i * columns + j];
        for (Index a = down.first; a < down.last; ++a) {
          for (Index b = across.first; b < across.last; ++b) {
            to[a * planes.width + b] += value;
          }
        }
      }
    }
  });
}

#define GESSO_INSTANTIATE(T)                                                              \
  template void max_pool(const Planes&, const Windows&, const T*, T*);                    \
  template void max_pool_backward(const Planes&, const Windows&, const T*, const T*, T*); \
  template void sum_pool(const Planes&, const Windows&, T, const T*, T*);                 \
  template void sum_pool_backward(const Planes&, const Windows&, T, const T*, T*);
GESSO_INSTANTIATE(float)
GESSO_INSTANTIATE(double)
#undef GESSO_INSTANTIATE

}  // namespace gesso
