// Bilinear resampling of planes to a larger (or any) size, without a filter: between the four nearest pixels.
#pragma once

#include <vector>

#include "gesso/core/planes.h"

namespace gesso {

/// Where the pixels of one side come from: output i is (1 - weight[i]) * input below[i] + weight[i] * input
/// above[i].
struct LinearMap {
  std::vector<Index> below, above;
  std::vector<double> weight;

  Index size() const { return static_cast<Index>(weight.size()); }
};

/// The map of `size` pixels to `new_size`, as PyTorch has it. With `align_corners` the centres of the first
/// and last pixels keep their places, i (size - 1) / (new_size - 1); else output i lies at (i + 0.5) * step -
/// 0.5, limited to the input, and `step` is 1 / scale; a side that keeps its size is copied whatever the step.
LinearMap linear_map(Index size, Index new_size, double step, bool align_corners);

/// y (planes of rows.size() by columns.size()) = x (`planes`) resampled along both sides.
template <class T>
void resample_bilinear(const Planes& planes, const LinearMap& rows, const LinearMap& columns, const T* x,
                       T* y);

/// The transpose of resample_bilinear: dx (`planes`) from dy.
template <class T>
void resample_bilinear_backward(const Planes& planes, const LinearMap& rows, const LinearMap& columns,
                                const T* dy, T* dx);

}  // namespace gesso
