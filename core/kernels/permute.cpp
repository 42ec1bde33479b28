#include "gesso/core/kernels/permute.h"

#include <algorithm>

#include "gesso/core/kernels/elementwise.h"

namespace gesso {
namespace {

// A dimension of y, as wide as possible: its steps in x and in y, in elements.
struct Axis {
  Index size, x_step, y_step;
};

// y's dimensions from the outermost, without those of size 1, neighbours merged where they are neighbours in
// x too.
std::vector<Axis> axes_of(const Shape& shape, const std::vector<int>& order) {
  const auto x_steps = shape.strides();
  std::vector<Axis> axes;
  for (int d : order) {
    if (shape[d] == 1) {
      continue;
    }
    if (!axes.empty() && axes.back().x_step == x_steps[d] * shape[d]) {
      axes.back().size *= shape[d];
      axes.back().x_step = x_steps[d];
    } else {
      axes.push_back({shape[d], x_steps[d], 0});
    }
  }
  Index step = 1;
  for (auto axis = axes.rbegin(); axis != axes.rend(); ++axis) {
    axis->y_step = step;
    step *= axis->size;
  }
  return axes;
}

constexpr Index kTile = 32;

// y[i, j] = x[j, i] for i < rows <= kTile, j < columns. Each tile passes through a buffer with rows of an odd
// length, because tensors often have sizes that are powers of two, and steps of such a size hit only a few
// sets of the cache.
template <class T>
void transpose_strip(const T* x, Index x_step, T* y, Index y_step, Index rows, Index columns) {
  T tile[kTile][kTile + 1];
  for (Index j0 = 0; j0 < columns; j0 += kTile) {
    const Index width = std::min(columns - j0, kTile);
    for (Index j = 0; j < width; ++j) {
      std::copy(x + (j0 + j) * x_step, x + (j0 + j) * x_step + rows, tile[j]);
    }
    for (Index i = 0; i < rows; ++i) {
      for (Index j = 0; j < width; ++j) {
        y[i * y_step + j0 + j] = tile[j][i];
      }
    }
  }
}

}  // namespace

template <class T>
void copy_rows(const T* x, Index x_step, T* y, Index y_step, Index rows, Index count) {
  if (count > kElementwiseBlock) {
    const Index pieces = (count + kElementwiseBlock - 1) / kElementwiseBlock;
    parallel_for(rows * pieces, 1, [&](Index piece, Index) {
      const Index r = piece / pieces;
      const Index begin = piece % pieces * kElementwiseBlock;
      std::copy(x + r * x_step + begin, x + r * x_step + std::min(count, begin + kElementwiseBlock),
                y + r * y_step + begin);
    });
    return;
  }
  if (count > 0) {
    parallel_for(rows, kElementwiseBlock / count, [&](Index begin, Index end) {
      for (Index r = begin; r < end; ++r) {
        std::copy(x + r * x_step, x + r * x_step + count, y + r * y_step);
      }
    });
  }
}

template <class T>
void permute_elements(const T* x, const Shape& shape, const std::vector<int>& order, T* y) {
  if (shape.numel() == 0) {
    return;
  }
  std::vector<Axis> axes = axes_of(shape, order);
  if (axes.size() <= 1) {  // nothing moves
    copy_rows(x, 0, y, 0, 1, shape.numel());
    return;
  }
  // Columns: y's last axis. Rows: the axis that is last in x, cut in tiles. The others are walked one by one.
  const Axis columns = axes.back();
  axes.pop_back();
  std::size_t last_in_x = 0;
  for (std::size_t i = 1; i < axes.size(); ++i) {
    last_in_x = axes[i].x_step < axes[last_in_x].x_step ? i : last_in_x;
  }
  const Axis rows = axes[last_in_x];
  axes.erase(axes.begin() + static_cast<std::ptrdiff_t>(last_in_x));
  const Index strips = (rows.size + kTile - 1) / kTile;
  Index count = strips;
  for (const Axis& axis : axes) {
    count *= axis.size;
  }
  const Index work = std::min(rows.size, kTile) * columns.size;
  parallel_for(count, std::max<Index>(1, kElementwiseBlock / work), [&](Index begin, Index end) {
    for (Index strip = begin; strip < end; ++strip) {
      const Index row = strip % strips * kTile;
      Index rest = strip / strips;
      Index from = row * rows.x_step, to = row * rows.y_step;
      for (auto axis = axes.rbegin(); axis != axes.rend(); ++axis) {
        from += rest % axis->size * axis->x_step;
        to += rest % axis->size * axis->y_step;
        rest /= axis->size;
      }
      const Index row_count = std::min(kTile, rows.size - row);
      if (columns.x_step == 1) {
        for (Index i = 0; i < row_count; ++i) {
          const T* source = x + from + i * rows.x_step;
          std::copy(source, source + columns.size, y + to + i * rows.y_step);
        }
      } else {
        transpose_strip(x + from, columns.x_step, y + to, rows.y_step, row_count, columns.size);
      }
    }
  });
}

template void copy_rows(const float*, Index, float*, Index, Index, Index);
template void copy_rows(const double*, Index, double*, Index, Index, Index);
template void permute_elements(const float*, const Shape&, const std::vector<int>&, float*);
template void permute_elements(const double*, const Shape&, const std::vector<int>&, double*);

}  // namespace gesso
