#include "gesso/core/broadcast.h"

#include <algorithm>

namespace gesso {

BroadcastPlan::BroadcastPlan(const Shape& a, const Shape& b, const char* operation)
    : shape(broadcast_shapes(a, b, operation)) {
  const auto stride_of = [&](const Shape& from, int dim) -> std::int64_t {  // dim counted in the result
    const int own = dim - (shape.rank() - from.rank());
    return own < 0 || (from[own] == 1 && shape[dim] != 1) ? 0 : from.strides()[own];
  };
  for (int dim = 0; dim < shape.rank(); ++dim) {
    if (shape[dim] == 1) {
      continue;
    }
    const std::int64_t a_step = stride_of(a, dim);
    const std::int64_t b_step = stride_of(b, dim);
    // Merge with the dimension before when walking on inside it is the same as one step of it, for both.
    if (rank > 0 && a_stride[rank - 1] == a_step * shape[dim] && b_stride[rank - 1] == b_step * shape[dim]) {
      size[rank - 1] *= shape[dim];
      a_stride[rank - 1] = a_step;
      b_stride[rank - 1] = b_step;
      continue;
    }
    size[rank] = shape[dim];
    a_stride[rank] = a_step;
    b_stride[rank] = b_step;
    ++rank;
  }
  if (rank == 0) {
    size[rank++] = 1;
  }
}

std::int64_t BroadcastPlan::rows() const {
  std::int64_t count = 1;
  for (int d = 0; d + 1 < rank; ++d) {
    count *= size[d];
  }
  return count;
}

std::array<std::int64_t, 2> BroadcastPlan::offsets(std::int64_t row) const {
  std::array<std::int64_t, 2> result = {0, 0};
  for (int d = rank - 2; d >= 0; --d) {
    const std::int64_t i = row % size[d];
    row /= size[d];
    result[0] += i * a_stride[d];
    result[1] += i * b_stride[d];
  }
  return result;
}

namespace {

// y[outer, inner] = sum over the middle of x[outer, middle, inner].
template <class T>
GESSO_SIMD void sum_middle(const T* x, T* y, std::int64_t middle, std::int64_t inner, double* wide) {
  if (inner == 1) {
    // Eight running sums, so that additions do not wait for each other.
    double lanes[8] = {};
    std::int64_t i = 0;
    for (; i + 8 <= middle; i += 8) {
      for (int lane = 0; lane < 8; ++lane) {
        lanes[lane] += static_cast<double>(x[i + lane]);
      }
    }
    double total = 0;
    for (; i < middle; ++i) {
      total += static_cast<double>(x[i]);
    }
    for (double lane : lanes) {
      total += lane;
    }
    *y = static_cast<T>(total);
    return;
  }
  std::fill(wide, wide + inner, 0.0);
  for (std::int64_t m = 0; m < middle; ++m) {
    for (std::int64_t i = 0; i < inner; ++i) {
      wide[i] += static_cast<double>(x[m * inner + i]);
    }
  }
  for (std::int64_t i = 0; i < inner; ++i) {
    y[i] = static_cast<T>(wide[i]);
  }
}

}  // namespace

Tensor sum_to(const Tensor& x, const Shape& shape) {
  if (x.shape() == shape) {
    return x;
  }
  require(broadcast_shapes(x.shape(), shape, "sum_to") == x.shape(), "sum_to: shape ", shape,
          " does not broadcast to ", x.shape());
  // The runs of dimensions that are summed, from the last to the first, each as one pass over (outer, middle,
  // inner).
  Tensor result = x;
  const int added = x.rank() - shape.rank();
  const auto summed = [&](int dim) { return dim < added || (shape[dim - added] == 1 && x.size(dim) != 1); };
  for (int last = x.rank(); last > 0;) {
    if (!summed(last - 1)) {
      --last;
      continue;
    }
    int first = last - 1;
    while (first > 0 && (summed(first - 1) || x.size(first - 1) == 1)) {
      --first;
    }
    const std::int64_t outer = x.shape().numel(0, first);
    const std::int64_t middle = x.shape().numel(first, last);
    const std::int64_t inner = outer * middle == 0 ? 0 : result.numel() / (outer * middle);
    std::vector<std::int64_t> sizes(result.shape().begin(), result.shape().end());
    std::fill(sizes.begin() + first, sizes.begin() + last, 1);
    Tensor next = Tensor::zeros(Shape(sizes), x.dtype());
    with_dtype(x.dtype(), [&]<class T>() {
      const T* from = result.data<T>();
      T* to = next.mutable_data<T>();
      const std::int64_t work = std::max<std::int64_t>(1, middle * inner);
      parallel_for(inner == 0 ? 0 : outer, std::max<std::int64_t>(1, kElementwiseBlock / work),
                   [&](std::int64_t begin, std::int64_t end) {
                     std::vector<double> wide(inner == 1 ? 0 : inner);
                     for (std::int64_t o = begin; o < end; ++o) {
                       sum_middle(from + o * middle * inner, to + o * inner, middle, inner, wide.data());
                     }
                   });
    });
    result = next;
    last = first;
  }
  return result.alias(shape);
}

}  // namespace gesso
