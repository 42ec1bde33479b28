#include "gesso/core/kernels/pooling.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

#include "gesso/core/kernels/elementwise.h"
#include "gesso/core/kernels/pixel_blocks.h"
#include "gesso/core/simd/vector.h"

namespace gesso {
namespace {

// The place of a pixel in its window, in reading order: as wide as T, so that both have registers of as many lanes.
template <class T>
using TapOf = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;

// `count` windows side by side: window j is `rows` x `kernel` pixels from x + j * stride on, its rows `row` apart.
template <class T>
struct WindowsInRows {
  const T* x;
  Index row, rows, kernel, stride, count;
};

// Find the largest pixel of each window and, the second, its place; for at least kFewestWindows<T> windows.
template <class T>
struct LargestKernels {
  using Run = void (*)(const WindowsInRows<T>& windows, T* largest, TapOf<T>* taps);
  Run largest, largest_and_taps;
};

template <class T>
constexpr Index kFewestWindows = 16 / sizeof(T);

}  // namespace
}  // namespace gesso

#define GESSO_ISA_SOURCE "gesso/core/kernels/pooling_isa.h"
#include "gesso/core/simd/for_each_isa.h"

namespace gesso {
namespace {

// Whether the windows are square blocks of pixels, or those of 2x2, the usual case; both have kernels of their own.
bool are_blocks(const Windows& w) {
  return w.down == w.across && w.down.kernel == w.down.stride && w.down.padding == 0 && !w.down.ceil_mode;
}
bool are_pairs(const Windows& w) { return w.down.kernel == 2 && are_blocks(w); }

// Pixels first <= i < last of a side are in window `index`.
struct Span {
  Span(const WindowsAlong& windows, Index index, Index size)
      : first(std::max<Index>(0, index * windows.stride - windows.padding)),
        last(std::min(size, index * windows.stride - windows.padding + windows.kernel)) {}
  Index first, last;
};

// How many pixels of a side, padding among them, are in window `index`: kernel unless it hangs over.
Index extent(const WindowsAlong& w, Index index, Index size) {
  const Index first = index * w.stride - w.padding;
  return std::min(first + w.kernel, size + w.padding) - first;
}

// 1 over the number of pixels of a window.
template <class T>
T part(const Windows& w, Index i, Index j, const Planes& planes) {
  return static_cast<T>(
      1.0 / static_cast<double>(extent(w.down, i, planes.height) * extent(w.across, j, planes.width)));
}

// Whether `value` takes the place of `best`; true for each NaN, so that NaN stays.
template <class T>
bool beats(T value, T best) {
  return value > best || std::isnan(value);
}

// The index in its plane of the largest pixel of window (i, j).
template <class T>
Index place_of_largest(const Planes& planes, const Windows& w, Index i, Index j, const T* plane) {
  const Span down(w.down, i, planes.height), across(w.across, j, planes.width);
  Index place = down.first * planes.width + across.first;
  for (Index a = down.first; a < down.last; ++a) {
    for (Index b = across.first; b < across.last; ++b) {
      const Index here = a * planes.width + b;
      place = beats(plane[here], plane[place]) ? here : place;
    }
  }
  return place;
}

// Windows first <= j < last of each row of them lie between the left and right border, and are enough for a kernel.
template <class T>
struct Inside {
  Inside(const Windows& w, Index width)
      : first(divide_up(w.across.padding, w.across.stride)),
        last((width + w.across.padding - w.across.kernel) / w.across.stride + 1) {
    const bool taps_have_numbers = w.down.kernel <= std::numeric_limits<TapOf<T>>::max() / w.across.kernel;
    if (last - first < kFewestWindows<T> || !taps_have_numbers) {
      last = first = 0;
    }
  }
  // Calls body(j) for the windows of a row that has `columns` of them, but for these.
  template <class Body>
  void each_other(Index columns, Body body) const {
    for (Index j = 0; j < first; ++j) body(j);
    for (Index j = last; j < columns; ++j) body(j);
  }
  Index first, last;
};

// Those of row i.
template <class T>
WindowsInRows<T> windows_inside(const Inside<T>& inside, const Planes& planes, const Windows& w, Index i,
                                const T* plane) {
  const Span down(w.down, i, planes.height);
  const Index column = std::max<Index>(0, inside.first * w.across.stride - w.across.padding);
  return {plane + down.first * planes.width + column,
          planes.width,
          down.last - down.first,
          w.across.kernel,
          w.across.stride,
          inside.last - inside.first};
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
  const Index rows = windows.rows(planes);
  const Index work = windows.down.kernel * windows.across.kernel * windows.columns(planes);
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
  const Index rows = windows.rows(planes), columns = windows.columns(planes);
  const Index width = planes.width;
  const Inside<T> inside(windows, width);
  const LargestKernels<T>& kernels = GESSO_BEST_ISA(kLargest<T>);
  each_window_row(planes, windows, [&](Index plane, Index i) {
    const T* from = x + plane * planes.height * width;
    T* to = y + (plane * rows + i) * columns;
    if (are_pairs(windows)) {
      max_of_pairs(from + 2 * i * width, from + (2 * i + 1) * width, columns, to);
      return;
    }
    kernels.largest(windows_inside(inside, planes, windows, i, from), to + inside.first, nullptr);
    inside.each_other(columns, [&](Index j) { to[j] = from[place_of_largest(planes, windows, i, j, from)]; });
  });
}

template <class T>
void max_pool_backward(const Planes& planes, const Windows& windows, const T* x, const T* dy, T* dx) {
  const Index rows = windows.rows(planes), columns = windows.columns(planes);
  const Index width = planes.width;
  const Inside<T> inside(windows, width);
  const LargestKernels<T>& kernels = GESSO_BEST_ISA(kLargest<T>);
  std::vector<Index> offset;  // in the plane, of each tap from the first
  for (Index a = 0; inside.last > 0 && a < std::min(windows.down.kernel, planes.height); ++a) {
    for (Index b = 0; b < windows.across.kernel; ++b) offset.push_back(a * width + b);
  }
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
    std::vector<T> largest(inside.last);
    std::vector<TapOf<T>> taps(inside.last);
    for (Index i = 0; i < rows; ++i) {
      const WindowsInRows<T> row = windows_inside(inside, planes, windows, i, from);
      const T* const g = upstream + i * columns;
      kernels.largest_and_taps(row, largest.data(), taps.data());
      T* const first = to + (row.x - from);
      for (Index j = 0; j < row.count; ++j) {
        first[j * row.stride + offset[taps[j]]] += g[inside.first + j];
      }
      inside.each_other(columns, [&](Index j) { to[place_of_largest(planes, windows, i, j, from)] += g[j]; });
    }
  });
}

template <class T>
void avg_pool(const Planes& planes, const Windows& windows, const T* x, T* y) {
  if (are_blocks(windows)) {
    sum_blocks(planes, windows.down.kernel, part<T>(windows, 0, 0, planes), x, y);
    return;
  }
  const Index rows = windows.rows(planes), columns = windows.columns(planes);
  each_window_row(planes, windows, [&](Index plane, Index i) {
    const T* from = x + plane * planes.height * planes.width;
    T* to = y + (plane * rows + i) * columns;
    const Span down(windows.down, i, planes.height);
    for (Index j = 0; j < columns; ++j) {
      const Span across(windows.across, j, planes.width);
      T sum = 0;
      for (Index a = down.first; a < down.last; ++a) {
        for (Index b = across.first; b < across.last; ++b) {
          sum += from[a * planes.width + b];
        }
      }
      to[j] = part<T>(windows, i, j, planes) * sum;
    }
  });
}

template <class T>
void avg_pool_backward(const Planes& planes, const Windows& windows, const T* dy, T* dx) {
  if (are_blocks(windows)) {
    repeat_blocks(planes, windows.down.kernel, part<T>(windows, 0, 0, planes), dy, dx);
    return;
  }
  const Index rows = windows.rows(planes), columns = windows.columns(planes);
  each_plane(planes, [&](Index plane) {
    T* to = dx + plane * planes.height * planes.width;
    const T* upstream = dy + plane * rows * columns;
    std::fill(to, to + planes.height * planes.width, T{0});
    for (Index i = 0; i < rows; ++i) {
      const Span down(windows.down, i, planes.height);
      for (Index j = 0; j < columns; ++j) {
        const Span across(windows.across, j, planes.width);
        const T value = part<T>(windows, i, j, planes) * upstream[i * columns + j];
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
  template void avg_pool(const Planes&, const Windows&, const T*, T*);                    \
  template void avg_pool_backward(const Planes&, const Windows&, const T*, T*);
GESSO_INSTANTIATE(float)
GESSO_INSTANTIATE(double)
#undef GESSO_INSTANTIATE

}  // namespace gesso
