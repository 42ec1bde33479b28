#include "gesso/core/kernels/broadcast.h"

#include <algorithm>

#include "gesso/core/kernels/reduce.h"

namespace gesso {

BroadcastPlan::BroadcastPlan(const Shape& a, const Shape& b, const char* operation)
    : shape(broadcast_shapes(a, b, operation)) {
  const auto stride_of = [&](const Shape& from, int dim) -> Index {  // dim counted in the result
    const int own = dim - (shape.rank() - from.rank());
    return own < 0 || (from[own] == 1 && shape[dim] != 1) ? 0 : from.strides()[own];
  };
  for (int dim = 0; dim < shape.rank(); ++dim) {
    if (shape[dim] == 1) {
      continue;
    }
    const Index a_step = stride_of(a, dim);
    const Index b_step = stride_of(b, dim);
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

Index BroadcastPlan::rows() const {
  Index count = 1;
  for (int d = 0; d + 1 < rank; ++d) {
    count *= size[d];
  }
  return count;
}

std::array<Index, 2> BroadcastPlan::offsets(Index row) const {
  std::array<Index, 2> result = {0, 0};
  for (int d = rank - 2; d >= 0; --d) {
    const Index i = row % size[d];
    row /= size[d];
    result[0] += i * a_stride[d];
    result[1] += i * b_stride[d];
  }
  return result;
}

Tensor sum_to(const Tensor& x, const Shape& shape) {
  if (x.shape() == shape) {
    return x;
  }
  require(broadcast_shapes(x.shape(), shape, "sum_to") == x.shape(), "sum_to: shape ", shape,
          " does not broadcast to ", x.shape());
  std::vector<Index> kept(x.rank() - shape.rank(), 1);
  kept.insert(kept.end(), shape.begin(), shape.end());
  return sum_keeping(x, Shape(kept), x.dtype()).alias(shape);
}

Tensor expand_to(const Tensor& x, const Shape& shape) {
  if (x.shape() == shape) {
    return x;
  }
  const BroadcastPlan plan(shape, x.shape(), "expand_to");
  require(plan.shape == shape, "expand_to: shape ", x.shape(), " does not broadcast to ", shape);
  Tensor y = Tensor::empty(shape, x.dtype());
  with_dtype(x.dtype(), [&]<class T>() {
    const T* from = x.data<T>();
    T* to = y.mutable_data<T>();
    const Index row = plan.size[plan.rank - 1];
    const bool repeats = plan.b_stride[plan.rank - 1] == 0;
    const auto expand = [&](Index r, Index begin, Index end) {
      const T* source = from + plan.offsets(r)[1];
      if (repeats) {
        std::fill(to + r * row + begin, to + r * row + end, *source);
      } else {
        std::copy(source + begin, source + end, to + r * row + begin);
      }
    };
    if (plan.rank == 1) {
      parallel_for(row, kElementwiseBlock, [&](Index begin, Index end) { expand(0, begin, end); });
      return;
    }
    const Index rows_a_block = std::max<Index>(1, kElementwiseBlock / std::max<Index>(1, row));
    parallel_for(plan.rows(), rows_a_block, [&](Index begin, Index end) {
      for (Index r = begin; r < end; ++r) {
        expand(r, 0, row);
      }
    });
  });
  return y;
}

}  // namespace gesso
