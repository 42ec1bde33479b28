#include "gesso/core/shape.h"

#include <algorithm>

#include "gesso/core/error.h"

namespace gesso {

Shape::Shape(std::initializer_list<Index> sizes) { assign(sizes.begin(), sizes.size()); }

Shape::Shape(const std::vector<Index>& sizes) { assign(sizes.data(), sizes.size()); }

void Shape::assign(const Index* sizes, std::size_t count) {
  require(count <= max_rank, "shape: ", count, " dimensions; at most ", max_rank, " are supported");
  rank_ = static_cast<int>(count);
  std::copy(sizes, sizes + count, sizes_.begin());
  numel_ = 1;
  bool overflow = false;
  bool empty = false;
  for (Index size : *this) {
    require(size >= 0, "shape: size ", size, " in ", *this, " is negative");
    empty = empty || size == 0;
    overflow = overflow || __builtin_mul_overflow(numel_, size == 0 ? 1 : size, &numel_);
  }
  // The bytes of a float64 tensor must be countable too.
  overflow = overflow || numel_ > INT64_MAX / 8;
  require(!overflow, "shape: ", *this, " has more elements than can be counted");
  if (empty) {
    numel_ = 0;
  }
}

Index Shape::numel(int first, int last) const {
  Index product = 1;
  for (int d = first; d < last; ++d) {
    product *= sizes_[d];
  }
  return product;
}

int Shape::check_dim(int dim) const {
  require(dim >= -rank_ && dim < rank_, "dimension ", dim, " is out of range for shape ", *this, ": use ",
          -rank_, " to ", rank_ - 1);
  return dim < 0 ? dim + rank_ : dim;
}

Shape Shape::with(int dim, Index size) const {
  std::vector<Index> sizes(begin(), end());
  sizes[check_dim(dim)] = size;
  return Shape(sizes);
}

Shape Shape::without(int dim) const {
  std::vector<Index> sizes(begin(), end());
  sizes.erase(sizes.begin() + check_dim(dim));
  return Shape(sizes);
}

std::array<Index, Shape::max_rank> Shape::strides() const {
  std::array<Index, max_rank> strides{};
  Index stride = 1;
  for (int d = rank_ - 1; d >= 0; --d) {
    strides[d] = stride;
    stride *= sizes_[d];
  }
  return strides;
}

bool Shape::operator==(const Shape& other) const {
  return std::equal(begin(), end(), other.begin(), other.end());
}

std::string Shape::str() const { return concat_text(*this); }

std::ostream& operator<<(std::ostream& out, const Shape& shape) {
  out << '(';
  const char* separator = "";
  for (Index size : shape) {
    out << separator << size;
    separator = ", ";
  }
  return out << ')';
}

Shape broadcast_shapes(const Shape& a, const Shape& b, const char* operation) {
  const int rank = std::max(a.rank(), b.rank());
  std::vector<Index> sizes(rank);
  for (int d = 1; d <= rank; ++d) {  // counted from the right
    const Index from_a = d <= a.rank() ? a[-d] : 1;
    const Index from_b = d <= b.rank() ? b[-d] : 1;
    require(from_a == from_b || from_a == 1 || from_b == 1, operation, ": shapes ", a, " and ", b,
            " do not broadcast: dimension ", -d, " is ", from_a, " against ", from_b,
            "; make them equal or one of them 1");
    sizes[rank - d] = from_a == 1 ? from_b : from_a;
  }
  return Shape(sizes);
}

}  // namespace gesso
