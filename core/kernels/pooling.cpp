#include "gesso/core/kernels/pooling.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <vector>

#include "gesso/core/kernels/elementwise.h"
#include "gesso/core/kernels/pixel_blocks.h"

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

// best[j] = the larger of best[j] and x[j * stride].
template <class T, class Stride>
GESSO_SIMD void take_larger(const T* __restrict x, Stride stride, Index n, T* __restrict best) {
  for (Index j = 0; j < n; ++j) {
    const T value = x[j * stride];
    best[j] = beats(value, best[j]) ? value : best[j];
  }
}

// The same, and place[j] = first + j * stride where x took the place of best.
template <class T, class Stride>
GESSO_SIMD void take_larger(const T* __restrict x, Stride stride, Index n, Index first, T* __restrict best,
                            Index* __restrict place) {
  for (Index j = 0; j < n; ++j) {
    const T value = x[j * stride], before = best[j];
    place[j] = beats(value, before) ? first + j * stride : place[j];
    best[j] = beats(value, before) ? value : before;
  }
}

// Calls body(j, count, first, stride) for each pixel of a window in reading order: windows j to j + count - 1
// of row i have it inside the plane, where it lies at first, first + stride, ...; stride is a constant for
// those that networks use, so that the compiler can vectorise.
template <class Body>
void each_pixel_of_windows(const Planes& planes, const Windows& w, Index i, Body body) {
  const Span down(w.down, i, planes.height);
  const auto& [kernel, stride, padding, ceil_mode] = w.across;
  const Index columns = w.columns(planes);
  for (Index row = down.first; row < down.last; ++row) {
    for (Index b = 0; b < kernel; ++b) {
      const Index begin = b >= padding ? 0 : divide_up(padding - b, stride);
      const Index inside = planes.width + padding - b;  // window j has the pixel if j * stride < inside
      const Index end = std::min(columns, inside <= 0 ? 0 : divide_up(inside, stride));
      if (begin >= end) {
        continue;
      }
      const Index first = row * planes.width + begin * stride + b - padding;
      if (stride == 1) {
        body(begin, end - begin, first, std::integral_constant<Index, 1>());
      } else if (stride == 2) {
        body(begin, end - begin, first, std::integral_constant<Index, 2>());
      } else {
        body(begin, end - begin, first, stride);
      }
    }
  }
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
  each_window_row(planes, windows, [&](Index plane, Index i) {
    const T* from = x + plane * planes.height * width;
    T* to = y + (plane * rows + i) * columns;
    if (are_pairs(windows)) {
      max_of_pairs(from + 2 * i * width, from + (2 * i + 1) * width, columns, to);
      return;
    }
    std::fill(to, to + columns, -std::numeric_limits<T>::infinity());
    each_pixel_of_windows(planes, windows, i, [&](Index j, Index count, Index first, auto stride) {
      take_larger(from + first, stride, count, to + j);
    });
  });
}

template <class T>
void max_pool_backward(const Planes& planes, const Windows& windows, const T* x, const T* dy, T* dx) {
  const Index rows = windows.rows(planes), columns = windows.columns(planes);
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
    std::vector<T> best(columns);
    std::vector<Index> place(columns);
    for (Index i = 0; i < rows; ++i) {
      std::fill(best.begin(), best.end(), -std::numeric_limits<T>::infinity());
      const Index top = Span(windows.down, i, planes.height).first * width;
      for (Index j = 0; j < columns; ++j) {  // where all pixels of a window are -infinity
        place[j] = top + Span(windows.across, j, width).first;
      }
      each_pixel_of_windows(planes, windows, i, [&](Index j, Index count, Index first, auto stride) {
        take_larger(from + first, stride, count, first, best.data() + j, place.data() + j);
      });
      for (Index j = 0; j < columns; ++j) {
        to[place[j]] += upstream[i * columns + j];
      }
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
