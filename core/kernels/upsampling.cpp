#include "gesso/core/kernels/upsampling.h"

#include <algorithm>

#include "gesso/core/kernels/elementwise.h"

namespace gesso {
namespace {

template <class T>
GESSO_SIMD void blend(const T* a, const T* b, T weight, Index n, T* y) {
  for (Index j = 0; j < n; ++j) {
    y[j] = (1 - weight) * a[j] + weight * b[j];
  }
}

template <class T>
GESSO_SIMD void add_scaled(const T* x, T factor, Index n, T* y) {
  for (Index j = 0; j < n; ++j) {
    y[j] += factor * x[j];
  }
}

}  // namespace

LinearMap linear_map(Index size, Index new_size, double step, bool align_corners) {
  LinearMap map;
  if (new_size == size) {
    step = 1;  // a side that keeps its size keeps its pixels, as in PyTorch, whatever scale it came from
  }
  if (align_corners) {
    step = new_size > 1 ? static_cast<double>(size - 1) / static_cast<double>(new_size - 1) : 0;
  }
  for (Index i = 0; i < new_size; ++i) {
    const double place = static_cast<double>(i);
    const double at = align_corners ? place * step : std::max(0.0, (place + 0.5) * step - 0.5);
    const Index below = static_cast<Index>(at);  // at most size - 1, as at < size
    map.below.push_back(below);
    map.above.push_back(std::min(below + 1, size - 1));
    map.weight.push_back(at - static_cast<double>(below));
  }
  return map;
}

template <class T>
void resample_bilinear(const Planes& planes, const LinearMap& rows, const LinearMap& columns, const T* x,
                       T* y) {
  const Index width = planes.width, out_width = columns.size();
  const std::vector<T> across(columns.weight.begin(), columns.weight.end());
  const Index rows_at_once = std::max<Index>(1, kElementwiseBlock / (width + out_width));
  parallel_for(planes.count * rows.size(), rows_at_once, [&](Index begin, Index end) {
    std::vector<T> line(width);  // the row of x that lies where the row of y does
    for (Index r = begin; r < end; ++r) {
      const T* plane = x + r / rows.size() * planes.height * width;
      const Index i = r % rows.size();
      blend(plane + rows.below[i] * width, plane + rows.above[i] * width, static_cast<T>(rows.weight[i]),
            width, line.data());
      T* to = y + r * out_width;
      for (Index j = 0; j < out_width; ++j) {
        to[j] = (1 - across[j]) * line[columns.below[j]] + across[j] * line[columns.above[j]];
      }
    }
  });
}

template <class T>
void resample_bilinear_backward(const Planes& planes, const LinearMap& rows, const LinearMap& columns,
                                const T* dy, T* dx) {
  const Index width = planes.width, pixels = planes.height * width, out_width = columns.size();
  const std::vector<T> across(columns.weight.begin(), columns.weight.end());
  const Index work = std::max<Index>(1, pixels + rows.size() * out_width);
  parallel_for(planes.count, std::max<Index>(1, kElementwiseBlock / work), [&](Index begin, Index end) {
    std::vector<T> line(width);
    std::fill(dx + begin * pixels, dx + end * pixels, T{0});
    for (Index p = begin; p < end; ++p) {
      for (Index i = 0; i < rows.size(); ++i) {
        const T* from = dy + (p * rows.size() + i) * out_width;
        std::fill(line.begin(), line.end(), T{0});
        for (Index j = 0; j < out_width; ++j) {
          line[columns.below[j]] += (1 - across[j]) * from[j];
          line[columns.above[j]] += across[j] * from[j];
        }
        const T weight = static_cast<T>(rows.weight[i]);
        T* plane = dx + p * pixels;
        add_scaled(line.data(), 1 - weight, width, plane + rows.below[i] * width);
        add_scaled(line.data(), weight, width, plane + rows.above[i] * width);
      }
    }
  });
}

#define GESSO_INSTANTIATE(T)                                                                        \
  template void resample_bilinear(const Planes&, const LinearMap&, const LinearMap&, const T*, T*); \
  template void resample_bilinear_backward(const Planes&, const LinearMap&, const LinearMap&, const T*, T*);
GESSO_INSTANTIATE(float)
GESSO_INSTANTIATE(double)
#undef GESSO_INSTANTIATE

}  // namespace gesso
