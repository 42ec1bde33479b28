#include "gesso/autograd/shape_ops.h"

#include <algorithm>
#include <numeric>

#include "gesso/autograd/graph.h"
#include "gesso/core/kernels/permute.h"

namespace gesso {
namespace {

int checked_dim(const Tensor& x, int dim, const char* operation) {
  require_defined(x, operation, "its argument");
  require(dim >= -x.rank() && dim < x.rank(), operation, ": dimension ", dim, " is out of range for shape ",
          x.shape());
  return x.shape().check_dim(dim);
}

// A copy of x without a place in the graph; dimension d of it is dimension order[d] of x.
Tensor permuted(const Tensor& x, const std::vector<int>& order) {
  std::vector<Index> sizes;
  for (int d : order) {
    sizes.push_back(x.size(d));
  }
  Tensor y = Tensor::empty(Shape(sizes), x.dtype());
  with_dtype(x.dtype(),
             [&]<class T>() { permute_elements(x.data<T>(), x.shape(), order, y.mutable_data<T>()); });
  return y;
}

// Indices begin <= i < end of dimension `dim` of a tensor of shape `whole`, which a tensor `part` holds on
// their own.
struct Part {
  Part(const Shape& whole, int dim, Index begin, Index end)
      : rows(whole.numel(0, dim)),
        index(whole.numel(dim + 1, whole.rank())),
        step(whole[dim] * index),
        first(begin * index),
        count((end - begin) * index) {}

  void read(const Tensor& whole, Tensor& part) const {
    with_dtype(whole.dtype(), [&]<class T>() {
      copy_rows(whole.data<T>() + first, step, part.mutable_data<T>(), count, rows, count);
    });
  }
  void write(const Tensor& part, Tensor& whole) const {
    with_dtype(whole.dtype(), [&]<class T>() {
      copy_rows(part.data<T>(), count, whole.mutable_data<T>() + first, step, rows, count);
    });
  }

  Index rows;   // the product of the sizes before dim
  Index index;  // elements of one index of dim
  Index step, first, count;
};

}  // namespace

// ---- free functions

Tensor permute(const Tensor& x, const std::vector<int>& order) {
  require_defined(x, "permute", "its argument");
  require(static_cast<int>(order.size()) == x.rank(), "permute: ", order.size(),
          " dimensions listed for shape ", x.shape(), "; name each once");
  std::vector<int> forward, inverse(x.rank(), -1);
  for (int dim : order) {
    const int d = checked_dim(x, dim, "permute");
    require(inverse[d] == -1, "permute: dimension ", dim, " is listed twice for shape ", x.shape());
    inverse[d] = static_cast<int>(forward.size());
    forward.push_back(d);
  }
  return record("permute", permuted(x, forward), {x},
                [inverse](const Tensor& dy, Gradients& d) { d(0, [&] { return permuted(dy, inverse); }); });
}

Tensor transpose(const Tensor& x, int dim0, int dim1) {
  std::vector<int> order(x.defined() ? x.rank() : 0);
  std::iota(order.begin(), order.end(), 0);
  std::swap(order.at(checked_dim(x, dim0, "transpose")), order.at(checked_dim(x, dim1, "transpose")));
  return record("transpose", permuted(x, order), {x}, [order](const Tensor& dy, Gradients& d) {
    d(0, [&] { return permuted(dy, order); });  // an exchange is its own inverse
  });
}

Tensor concat(const std::vector<Tensor>& tensors, int dim) {
  require(!tensors.empty(), "concat: the list of tensors is empty");
  const int d = checked_dim(tensors[0], dim, "concat");
  Index size = 0;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    require(tensors[i].defined(), "concat: tensor ", i, " of the list is undefined");
    require(tensors[i].rank() == tensors[0].rank() &&
                tensors[i].shape().with(d, 0) == tensors[0].shape().with(d, 0),
            "concat: tensor ", i, " has shape ", tensors[i].shape(), ", tensor 0 ", tensors[0].shape(),
            "; they may differ in dimension ", d, " only");
    require_same_dtype(tensors[0], tensors[i], "concat");
    size += tensors[i].size(d);
  }
  Tensor y = Tensor::empty(tensors[0].shape().with(d, size), tensors[0].dtype());
  std::vector<Part> parts;
  std::vector<Shape> shapes;
  Index begin = 0;
  for (const Tensor& tensor : tensors) {
    parts.emplace_back(y.shape(), d, begin, begin + tensor.size(d));
    shapes.push_back(tensor.shape());
    parts.back().write(tensor, y);
    begin += tensor.size(d);
  }
  return record("concat", y, tensors, [parts, shapes](const Tensor& dy, Gradients& g) {
    for (std::size_t i = 0; i < parts.size(); ++i) {
      g(i, [&] {
        Tensor dx = Tensor::empty(shapes[i], dy.dtype());
        parts[i].read(dy, dx);
        return dx;
      });
    }
  });
}

Tensor unsqueeze(const Tensor& x, int dim) {
  require_defined(x, "unsqueeze", "its argument");
  require(dim >= -x.rank() - 1 && dim <= x.rank(), "unsqueeze: dimension ", dim,
          " is out of range for shape ", x.shape());
  std::vector<Index> sizes(x.shape().begin(), x.shape().end());
  sizes.insert(sizes.begin() + (dim < 0 ? dim + x.rank() + 1 : dim), 1);
  return x.reshape(Shape(sizes));
}

Tensor squeeze(const Tensor& x, int dim) {
  const int d = checked_dim(x, dim, "squeeze");
  return x.size(d) == 1 ? x.reshape(x.shape().without(d)) : x;
}

Tensor squeeze(const Tensor& x) {
  require_defined(x, "squeeze", "its argument");
  std::vector<Index> sizes;
  std::copy_if(x.shape().begin(), x.shape().end(), std::back_inserter(sizes),
               [](Index size) { return size != 1; });
  return x.reshape(Shape(sizes));
}

Tensor flatten(const Tensor& x, int first, int last) {
  const int from = checked_dim(x, first, "flatten"), to = checked_dim(x, last, "flatten");
  require(from <= to, "flatten: dimension ", first, " comes after ", last, " in shape ", x.shape());
  std::vector<Index> sizes(x.shape().begin(), x.shape().begin() + from);
  sizes.push_back(x.shape().numel(from, to + 1));
  sizes.insert(sizes.end(), x.shape().begin() + to + 1, x.shape().end());
  return x.reshape(Shape(sizes));
}

Tensor stack(const std::vector<Tensor>& tensors, int dim) {
  require(!tensors.empty(), "stack: the list of tensors is empty");
  std::vector<Tensor> rows;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    require(tensors[i].defined(), "stack: tensor ", i, " of the list is undefined");
    require(tensors[i].shape() == tensors[0].shape(), "stack: tensor ", i, " has shape ", tensors[i].shape(),
            ", tensor 0 ", tensors[0].shape(), "; they must be equal");
    rows.push_back(unsqueeze(tensors[i], dim));
  }
  return concat(rows, dim < 0 ? dim + rows[0].rank() : dim);
}

Tensor slice(const Tensor& x, int dim, Index begin, Index end) {
  const int d = checked_dim(x, dim, "slice");
  require(0 <= begin && begin <= end && end <= x.size(d), "slice: indices ", begin, " to ", end,
          " of dimension ", dim, " are not within shape ", x.shape());
  if (d == 0) {
    return x.slice(begin, end);
  }
  const Part part(x.shape(), d, begin, end);
  Tensor y = Tensor::empty(x.shape().with(d, end - begin), x.dtype());
  part.read(x, y);
  return record("slice", y, {x}, [from = x.shape(), part](const Tensor& dy, Gradients& g) {
    g(0, [&] {
      Tensor dx = Tensor::zeros(from, dy.dtype());
      part.write(dy, dx);
      return dx;
    });
  });
}

// ---- members of Tensor

Tensor Tensor::reshape(const Shape& new_shape) const {
  require(new_shape.numel() == numel(), "reshape: ", shape(), " has ", numel(), " elements, ", new_shape,
          " has ", new_shape.numel());
  return record("reshape", alias(new_shape), {*this},
                [from = shape()](const Tensor& dy, Gradients& d) { d(0, [&] { return dy.alias(from); }); });
}

Tensor Tensor::reshape(std::initializer_list<Index> sizes) const {
  std::vector<Index> known(sizes);
  const auto unknown = std::find(known.begin(), known.end(), -1);
  if (unknown != known.end()) {
    *unknown = 1;
    const Index rest = Shape(known).numel();  // throws for a second -1
    require(rest > 0 && numel() % rest == 0, "reshape: the ", numel(), " elements of ", shape(),
            " cannot be divided into rows of ", rest, " for the size -1");
    *unknown = numel() / rest;
  }
  return reshape(Shape(known));
}

Tensor Tensor::slice(Index begin, Index end) const {
  require(rank() >= 1, "slice: a scalar has no first dimension");
  require(0 <= begin && begin <= end && end <= size(0), "slice: rows ", begin, " to ", end,
          " are not within shape ", shape());
  const Index row = numel() == 0 ? 0 : numel() / size(0);
  return record("slice", alias(shape().with(0, end - begin), begin * row), {*this},
                [from = shape(), begin, row](const Tensor& dy, Gradients& d) {
                  d(0, [&] {
                    Tensor dx = Tensor::zeros(from, dy.dtype());
                    dx.alias(dy.shape(), begin * row).copy_(dy);
                    return dx;
                  });
                });
}

Tensor Tensor::operator[](Index i) const {
  require(rank() >= 1, "x[", i, "]: a scalar has no first dimension; item() reads its number");
  require(-size(0) <= i && i < size(0), "x[", i, "]: there is no such row in shape ", shape());
  const Index row = i < 0 ? i + size(0) : i;
  return slice(row, row + 1).reshape(shape().without(0));
}

Tensor Tensor::transpose(int dim0, int dim1) const { return gesso::transpose(*this, dim0, dim1); }

Tensor Tensor::permute(const std::vector<int>& order) const { return gesso::permute(*this, order); }

Tensor Tensor::clone() const {
  Tensor copy = empty(shape(), dtype());
  copy.copy_(detach());
  return record("clone", copy, {*this}, [](const Tensor& dy, Gradients& d) { d(0, [&] { return dy; }); });
}

Tensor Tensor::to(DType new_dtype) const {
  if (new_dtype == dtype()) {
    return *this;
  }
  Tensor copy = empty(shape(), new_dtype);
  copy.copy_(detach());
  return record("to", copy, {*this},
                [from = dtype()](const Tensor& dy, Gradients& d) { d(0, [&] { return dy.to(from); }); });
}

}  // namespace gesso
