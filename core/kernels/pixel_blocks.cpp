#include "gesso/core/kernels/pixel_blocks.h"

#include <algorithm>

#include "gesso/core/kernels/elementwise.h"

namespace gesso {
namespace {

// One row of y from the 2 rows of x below it.
template <class T>
GESSO_SIMD void sum_pairs(const T* top, const T* bottom, Index n, T factor, T* y) {
  for (Index j = 0; j < n; ++j) {
    y[j] = factor * ((top[2 * j] + top[2 * j + 1]) + (bottom[2 * j] + bottom[2 * j + 1]));
  }
}

// One row of y from the k rows of x below it, each `width` long.
template <class T>
void sum_squares(const T* x, Index width, Index k, Index n, T factor, T* y) {
  for (Index j = 0; j < n; ++j) {
    T sum = 0;
    for (Index a = 0; a < k; ++a) {
      for (Index b = 0; b < k; ++b) {
        sum += x[a * width + j * k + b];
      }
    }
    y[j] = factor * sum;
  }
}

template <class T>
GESSO_SIMD void repeat_pairs(const T* x, Index n, T factor, T* y) {
  for (Index j = 0; j < n; ++j) {
    const T value = factor * x[j];
    y[2 * j] = value;
    y[2 * j + 1] = value;
  }
}

template <class T>
void repeat_row(const T* x, Index k, Index n, T factor, T* y) {
  for (Index j = 0; j < n; ++j) {
    std::fill(y + j * k, y + (j + 1) * k, factor * x[j]);
  }
}

// Rows of blocks in one parallel block.
Index rows_at_once(const Planes& planes, Index k) {
  return std::max<Index>(1, kElementwiseBlock / std::max<Index>(1, k * planes.width));
}

}  // namespace

template <class T>
void sum_blocks(const Planes& planes, Index k, T factor, const T* x, T* y) {
  const Index rows = planes.height / k, columns = planes.width / k;
  parallel_for(planes.count * rows, rows_at_once(planes, k), [&](Index begin, Index end) {
    for (Index r = begin; r < end; ++r) {
      const T* from = x + (r / rows * planes.height + r % rows * k) * planes.width;
      if (k == 2) {
        sum_pairs(from, from + planes.width, columns, factor, y + r * columns);
      } else {
        sum_squares(from, planes.width, k, columns, factor, y + r * columns);
      }
    }
  });
}

template <class T>
void repeat_blocks(const Planes& planes, Index k, T factor, const T* x, T* y) {
  const Index rows = planes.height / k, columns = planes.width / k;
  const Index all_rows = (planes.height + k - 1) / k;  // with the last one, even if it is not a whole block
  parallel_for(planes.count * all_rows, rows_at_once(planes, k), [&](Index begin, Index end) {
    for (Index r = begin; r < end; ++r) {
      const Index plane = r / all_rows, i = r % all_rows;
      T* to = y + (plane * planes.height + i * k) * planes.width;
      if (i == rows) {
        std::fill(to, to + (planes.height - rows * k) * planes.width, T{0});
        continue;
      }
      const T* from = x + (plane * rows + i) * columns;
      if (k == 2) {
        repeat_pairs(from, columns, factor, to);
      } else {
        repeat_row(from, k, columns, factor, to);
      }
      std::fill(to + k * columns, to + planes.width, T{0});
      for (Index a = 1; a < k; ++a) {
        std::copy(to, to + planes.width, to + a * planes.width);
      }
    }
  });
}

template void sum_blocks(const Planes&, Index, float, const float*, float*);
template void sum_blocks(const Planes&, Index, double, const double*, double*);
template void repeat_blocks(const Planes&, Index, float, const float*, float*);
template void repeat_blocks(const Planes&, Index, double, const double*, double*);

}  // namespace gesso
