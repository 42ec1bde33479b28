// What Tensor declares of operations that move elements without changing them: reshape, slice, clone, to.

#include <algorithm>

#include "gesso/autograd/node.h"

namespace gesso {

Tensor Tensor::reshape(const Shape& new_shape) const {
  require(new_shape.numel() == numel(), "reshape: ", shape(), " has ", numel(), " elements, ", new_shape,
          " has ", new_shape.numel());
  return record("reshape", alias(new_shape), {*this},
                [from = shape()](const Tensor& dy, Gradients& d) { d(0, [&] { return dy.alias(from); }); });
}

Tensor Tensor::reshape(std::initializer_list<std::int64_t> sizes) const {
  std::vector<std::int64_t> known(sizes);
  const auto unknown = std::find(known.begin(), known.end(), -1);
  if (unknown != known.end()) {
    *unknown = 1;
    const std::int64_t rest = Shape(known).numel();  // throws for a second -1
    require(rest > 0 && numel() % rest == 0, "reshape: the ", numel(), " elements of ", shape(),
            " cannot be divided into rows of ", rest, " for the size -1");
    *unknown = numel() / rest;
  }
  return reshape(Shape(known));
}

Tensor Tensor::slice(std::int64_t begin, std::int64_t end) const {
  require(rank() >= 1, "slice: a scalar has no first dimension");
  require(0 <= begin && begin <= end && end <= size(0), "slice: rows ", begin, " to ", end,
          " are not within shape ", shape());
  const std::int64_t row = numel() == 0 ? 0 : numel() / size(0);
  return record("slice", alias(shape().with(0, end - begin), begin * row), {*this},
                [from = shape(), begin, row](const Tensor& dy, Gradients& d) {
                  d(0, [&] {
                    Tensor dx = Tensor::zeros(from, dy.dtype());
                    dx.alias(dy.shape(), begin * row).copy_(dy);
                    return dx;
                  });
                });
}

Tensor Tensor::clone() const {
  Tensor copy = empty(shape(), dtype());
  copy.copy_(*this);
  return record("clone", copy, {*this}, [](const Tensor& dy, Gradients& d) { d(0, [&] { return dy; }); });
}

Tensor Tensor::to(DType new_dtype) const {
  if (new_dtype == dtype()) {
    return *this;
  }
  Tensor copy = empty(shape(), new_dtype);
  copy.copy_(*this);
  return record("to", copy, {*this},
                [from = dtype()](const Tensor& dy, Gradients& d) { d(0, [&] { return dy.to(from); }); });
}

}  // namespace gesso
