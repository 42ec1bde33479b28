// Broadcasting: y[index] = f(a[index], b[index]) where sizes of 1 are repeated, and its opposite, the sum
// over the repeated dimensions.
#pragma once

#include <array>

#include "gesso/core/kernels/elementwise.h"
#include "gesso/core/shape.h"
#include "gesso/core/tensor.h"

namespace gesso {

/// How two shapes walk along their broadcast shape, with neighbouring dimensions merged where both walk
/// alike, so that (4, 32, 64, 64) with (32, 1, 1) becomes (4, 32, 4096) with strides (131072, 4096, 1) and
/// (0, 1, 0).
struct BroadcastPlan {
  BroadcastPlan(const Shape& a, const Shape& b, const char* operation);

  Shape shape;                                    ///< of the result
  int rank = 0;                                   ///< of what follows; at least 1
  std::array<Index, Shape::max_rank> size{};      ///< merged dimensions, outermost first
  std::array<Index, Shape::max_rank> a_stride{};  ///< elements; 0 where a is repeated
  std::array<Index, Shape::max_rank> b_stride{};

  /// The number of innermost rows, and each one's offsets into a and b.
  Index rows() const;
  std::array<Index, 2> offsets(Index row) const;
};

namespace detail {

// y[i] = f(a[i * a_stride], b[i * b_stride]) with strides of 0 or 1.
template <class T, class F>
GESSO_SIMD void broadcast_row(const T* a, bool a_repeats, const T* b, bool b_repeats, T* y, Index n, F f) {
  if (a_repeats && b_repeats) {
    const T value = f(*a, *b);
    for (Index i = 0; i < n; ++i) y[i] = value;
  } else if (a_repeats) {
    const T left = *a;
    for (Index i = 0; i < n; ++i) y[i] = f(left, b[i]);
  } else if (b_repeats) {
    const T right = *b;
    for (Index i = 0; i < n; ++i) y[i] = f(a[i], right);
  } else {
    for (Index i = 0; i < n; ++i) y[i] = f(a[i], b[i]);
  }
}

}  // namespace detail

/// A fresh tensor of f(a, b), broadcast, without a place in the graph. Throws ArgumentError when the shapes
/// do not broadcast or the dtypes differ.
template <class F>
Tensor broadcast_map(const Tensor& a, const Tensor& b, const char* operation, F f) {
  require_defined(a, operation, "the first argument");
  require_defined(b, operation, "the second argument");
  require_same_dtype(a, b, operation);
  const BroadcastPlan plan(a.shape(), b.shape(), operation);
  Tensor result = Tensor::empty(plan.shape, a.dtype());
  with_dtype(a.dtype(), [&]<class T>() {
    const T* from_a = a.data<T>();
    const T* from_b = b.data<T>();
    T* y = result.mutable_data<T>();
    if (a.shape() == b.shape()) {
      zip_elements(from_a, from_b, y, plan.shape.numel(), f);
      return;
    }
    const Index row = plan.size[plan.rank - 1];
    const bool a_repeats = plan.a_stride[plan.rank - 1] == 0;
    const bool b_repeats = plan.b_stride[plan.rank - 1] == 0;
    if (plan.rank == 1) {
      parallel_for(row, kElementwiseBlock, [&](Index begin, Index end) {
        detail::broadcast_row(from_a + (a_repeats ? 0 : begin), a_repeats, from_b + (b_repeats ? 0 : begin),
                              b_repeats, y + begin, end - begin, f);
      });
      return;
    }
    const Index rows_a_block = std::max<Index>(1, kElementwiseBlock / std::max<Index>(1, row));
    parallel_for(plan.rows(), rows_a_block, [&](Index begin, Index end) {
      for (Index r = begin; r < end; ++r) {
        const auto [a_offset, b_offset] = plan.offsets(r);
        detail::broadcast_row(from_a + a_offset, a_repeats, from_b + b_offset, b_repeats, y + r * row, row,
                              f);
      }
    });
  });
  return result;
}

/// `x` summed over the dimensions along which `shape` broadcasts to x's shape: a fresh tensor of `shape`, or
/// x itself when the shapes are equal. Sums are wide: float32 is added up in float64.
Tensor sum_to(const Tensor& x, const Shape& shape);

/// `x` repeated along the dimensions where it broadcasts to `shape`: a fresh tensor of `shape`, or x itself
/// when the shapes are equal. Throws ArgumentError when it does not broadcast to exactly that shape.
Tensor expand_to(const Tensor& x, const Shape& shape);

}  // namespace gesso
