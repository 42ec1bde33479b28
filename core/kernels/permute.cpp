#include "gesso/core/kernels/permute.h"

#include <algorithm>

#include "gesso/core/kernels/elementwise.h"

namespace gesso {
namespace {

// A dimension of y, as wide as possible: its steps in x and in y, in elements.
struct Axis {
  std::int64_t size, x_step, y_step;
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
  std::int64_t step = 1;
  for (auto axis = axes.rbegin(); axis != axes.rend(); ++axis) {
    axis->y_step = step;
    step *= axis->size;
  }
  return axes;
}

constexpr std::int64_t kTile = 32;

// y[i, j] = x[j, i] for i < rows <= kTile, j < columns. Each tile passes through a buffer with rows of an odd
// length, because tensors often have sizes that are powers of two, and steps of such a size fall on few sets
// of the cache.
template <class T>
void transpose_strip(const T* x, std::int64_t x_step, T* y, std::int64_t y_step, std::int64_t rows,
                     std::int64_t columns) {
  T tile[kTile][kTile + 1];
  for (std::int64_t j0 = 0; j0 < columns; j0 += kTile) {
    const std::int64_t width = std::min(columns - j0, kTile);
    for (std::int64_t j = 0; j < width; ++j) {
      std::copy(x + (j0 + j) * x_step, x + (j0 + j) * x_step + rows, tile[j]);
    }
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = 0; j < width; ++j) {
        y[i * y_step + j0 + j] = tile[j][i];
      }
    }
  }
}

}  // namespace

template <class T>
void copy_rows(const T* x, std::int64_t x_step, T* y, std::int64_t y_step, std::int64_t rows,
               std::int64_t count) {
  if (count > kElementwiseBlock) {
    const std::int64_t pieces = (count + kElementwiseBlock - 1) / kElementwiseBlock;
    parallel_for(rows * pieces, 1, [&](std::int64_t piece, std::int64_t) {
      const std::int64_t r = piece / pieces;
      const std::int64_t begin = piece % pieces * kElementwiseBlock;
      std::copy(x + r * x_step + begin, x + r * x_step + std::min(count, begin + kElementwiseBlock),
                y + r * y_step + begin);
    });
    return;
  }
  if (count > 0) {
    parallel_for(rows, kElementwiseBlock / count, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t r = begin; r < end; ++r) {
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
  const std::int64_t strips = (rows.size + kTile - 1) / kTile;
  std::int64_t count = strips;
  for (const Axis& axis : axes) {
    count *= axis.size;
  }
  const std::int64_t work = std::min(rows.size, kTile) * columns.size;
  parallel_for(count, std::max<std::int64_t>(1, kElementwiseBlock / work),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t strip = begin; strip < end; ++strip) {
                   const std::int64_t row = strip % strips * kTile;
                   std::int64_t rest = strip / strips;
                   std::int64_t from = row * rows.x_step, to = row * rows.y_step;
                   for (auto axis = axes.rbegin(); axis != axes.rend(); ++axis) {
                     from += rest % axis->size * axis->x_step;
                     to += rest % axis->size * axis->y_step;
                     rest /= axis->size;
                   }
                   const std::int64_t row_count = std::min(kTile, rows.size - row);
                   if (columns.x_step == 1) {
                     for (std::int64_t i = 0; i < row_count; ++i) {
                       const T* source = x + from + i * rows.x_step;
                       std::copy(source, source + columns.size, y + to + i * rows.y_step);
                     }
                   } else {
                     transpose_strip(x + from, columns.x_step, y + to, rows.y_step, row_count, columns.size);
                   }
                 }
               });
}

template void copy_rows(const float*, std::int64_t, float*, std::int64_t, std::int64_t, std::int64_t);
template void copy_rows(const double*, std::int64_t, double*, std::int64_t, std::int64_t, std::int64_t);
template void permute_elements(const float*, const Shape&, const std::vector<int>&, float*);
template void permute_elements(const double*, const Shape&, const std::vector<int>&, double*);

}  // namespace gesso
