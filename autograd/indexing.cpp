#include "gesso/autograd/indexing.h"

#include <algorithm>
#include <cmath>

#include "gesso/autograd/graph.h"

namespace gesso {
namespace {

int checked_dim(const Tensor& x, int dim, const char* operation) {
  require_defined(x, operation, "x");
  require(dim >= -x.rank() && dim < x.rank(), operation, ": dimension ", dim, " is out of range for shape ",
          x.shape());
  return x.shape().check_dim(dim);
}

// A copy with the order of the dimensions reversed that are `reversed`.
Tensor flipped(const Tensor& x, const std::vector<bool>& reversed) {
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  const Index width = x.rank() == 0 ? 1 : x.size(-1);
  const bool backwards = x.rank() > 0 && reversed.back();
  with_dtype(x.dtype(), [&]<class T>() {
    const T* from = x.data<T>();
    T* to = y.mutable_data<T>();
    const Index rows = width == 0 ? 0 : x.numel() / width;
    parallel_for(rows, std::max<Index>(1, kElementwiseBlock / std::max<Index>(1, width)),
                 [&](Index begin, Index end) {
                   for (Index r = begin; r < end; ++r) {
                     // The row of x that row r of y shows: its index in each dimension but the last, reversed or not.
                     Index source = 0, rest = r, step = 1;
                     for (int d = x.rank() - 2; d >= 0; --d) {
                       const Index size = x.size(d), i = rest % size;
                       source += step * (reversed[static_cast<std::size_t>(d)] ? size - 1 - i : i);
                       step *= size;
                       rest /= size;
                     }
                     const T* row = from + source * width;
                     if (backwards) {
                       std::reverse_copy(row, row + width, to + r * width);
                     } else {
                       std::copy(row, row + width, to + r * width);
                     }
                   }
                 });
  });
  return y;
}

// The places in a tensor of `shape` that gather picks along dimension d.
std::vector<Index> places_of(const Tensor& index, const Shape& shape, int d) {
  const Index size = shape[d], inner = shape.numel(d + 1, shape.rank());
  const std::vector<double> values = index.to_vector();
  std::vector<Index> places(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double value = values[i];
    require(value >= 0 && value < static_cast<double>(size) && value == std::floor(value),
            "gather: the index has ", value, "; with x ", shape, " and dimension ", d,
            " it must hold whole numbers from 0 to ", size - 1);
    const Index at = static_cast<Index>(i), outer = at / inner / index.size(d);
    places[i] = (outer * size + static_cast<Index>(value)) * inner + at % inner;
  }
  return places;
}

}  // namespace

// y = x in another order, so dx = dy in the same order again
Tensor flip(const Tensor& x, const std::vector<int>& dims) {
  require_defined(x, "flip", "x");
  std::vector<bool> reversed(static_cast<std::size_t>(x.rank()));
  for (const int dim : dims) {
    const auto d = static_cast<std::size_t>(checked_dim(x, dim, "flip"));
    require(!reversed[d], "flip: dimension ", dim, " is listed twice for shape ", x.shape());
    reversed[d] = true;
  }
  return record("flip", flipped(x, reversed), {x},
                [reversed](const Tensor& dy, Gradients& g) { g(0, [&] { return flipped(dy, reversed); }); });
}

// y[i] = x[place[i]], so dx[place[i]] += dy[i], one after the other: in one order, whatever the number of threads.
Tensor gather(const Tensor& x, int dim, const Tensor& index) {
  const int d = checked_dim(x, dim, "gather");
  require_defined(index, "gather", "index");
  require(index.rank() == x.rank() && index.shape().with(d, 1) == x.shape().with(d, 1),
          "gather: index has shape ", index.shape(), " and x ", x.shape(), "; they may differ in dimension ",
          d, " only");
  std::vector<Index> places = places_of(index, x.shape(), d);
  Tensor y = Tensor::empty(index.shape(), x.dtype());
  with_dtype(x.dtype(), [&]<class T>() {
    const T* from = x.data<T>();
    std::transform(places.begin(), places.end(), y.mutable_data<T>(), [from](Index at) { return from[at]; });
  });
  return record("gather", y, {x},
                [shape = x.shape(), places = std::move(places)](const Tensor& dy, Gradients& g) {
                  g(0, [&] {
                    Tensor dx = Tensor::zeros(shape, dy.dtype());
                    with_dtype(dy.dtype(), [&]<class T>() {
                      const T* from = dy.data<T>();
                      T* to = dx.mutable_data<T>();
                      for (std::size_t i = 0; i < places.size(); ++i) {
                        to[places[i]] += from[i];
                      }
                    });
                    return dx;
                  });
                });
}

}  // namespace gesso
