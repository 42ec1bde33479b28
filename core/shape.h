// Shape: the sizes of a tensor's dimensions, outermost first, e.g. (N, C, H, W). Held in place, no heap.
#pragma once

#include <array>
#include <initializer_list>
#include <ostream>
#include <string>
#include <vector>

#include "gesso/core/index.h"

namespace gesso {

/// Up to Shape::max_rank sizes, each >= 0. A rank of 0 is a scalar with one element.
class Shape {
 public:
  static constexpr int max_rank = 8;

  Shape() = default;
  /// Throws ArgumentError for a negative size, too many dimensions, or more elements than an int64 can count.
  Shape(std::initializer_list<Index> sizes);
  explicit Shape(const std::vector<Index>& sizes);

  int rank() const { return rank_; }
  /// Size of dimension `dim`; negative counts from the end, as in Python. Throws ArgumentError out of range.
  Index operator[](int dim) const { return sizes_[static_cast<std::size_t>(check_dim(dim))]; }
  /// The number of elements: the product of the sizes.
  Index numel() const { return numel_; }
  /// The product of the sizes of dimensions first <= d < last.
  Index numel(int first, int last) const;

  const Index* begin() const { return sizes_.data(); }
  const Index* end() const { return sizes_.data() + rank_; }

  /// `dim` counted from the front. Throws ArgumentError unless -rank <= dim < rank.
  int check_dim(int dim) const;
  /// A copy with dimension `dim` changed to `size`.
  Shape with(int dim, Index size) const;
  /// A copy without dimension `dim`.
  Shape without(int dim) const;
  /// Row-major strides, in elements.
  std::array<Index, max_rank> strides() const;

  bool operator==(const Shape& other) const;

  /// "(4, 3, 64, 64)"
  std::string str() const;

 private:
  void assign(const Index* sizes, std::size_t count);

  std::array<Index, max_rank> sizes_{};
  int rank_ = 0;
  Index numel_ = 1;
};

std::ostream& operator<<(std::ostream& out, const Shape& shape);

/// The shape that `a` and `b` broadcast to under NumPy's rules: right-aligned, sizes equal or 1. Throws an
/// ArgumentError that names `operation` and both shapes when they do not fit.
Shape broadcast_shapes(const Shape& a, const Shape& b, const char* operation);

}  // namespace gesso
