#include "gesso/autograd/softmax.h"

#include <algorithm>
#include <cmath>

#include "gesso/autograd/graph.h"

namespace gesso {
namespace {

// A tensor as rows of numbers along one dimension: number k of row r is at begin(r) + k * step.
struct Rows {
  Rows(const Tensor& x, int dim, const char* operation) {
    require_defined(x, operation, "its argument");
    require(dim >= -x.rank() && dim < x.rank(), operation, ": dimension ", dim, " is out of range for shape ",
            x.shape());
    const int d = x.shape().check_dim(dim);
    size = x.size(d);
    step = x.shape().numel(d + 1, x.rank());
    count = x.shape().numel(0, d) * step;
  }

  Index begin(Index row) const { return row / step * size * step + row % step; }

  // Calls body(first number's place) for each row that has numbers, in parallel.
  template <class Body>
  void each(Body body) const {
    parallel_for(size == 0 ? 0 : count, std::max<Index>(1, kElementwiseBlock / 8 / std::max<Index>(1, size)),
                 [&](Index from, Index to) {
                   for (Index r = from; r < to; ++r) {
                     body(begin(r));
                   }
                 });
  }

  Index size = 0, step = 1, count = 0;
};

// log(sum of exp(x)) of a row.
template <class T>
double log_sum_exp(const T* x, const Rows& rows) {
  double largest = x[0], sum = 0;
  for (Index k = 1; k < rows.size; ++k) {
    largest = std::max(largest, static_cast<double>(x[k * rows.step]));
  }
  for (Index k = 0; k < rows.size; ++k) {
    sum += std::exp(static_cast<double>(x[k * rows.step]) - largest);
  }
  return largest + std::log(sum);
}

template <class Finish>
Tensor over_rows(const Tensor& x, const Rows& rows, Finish finish) {
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  with_dtype(x.dtype(), [&]<class T>() {
    const T* from = x.data<T>();
    T* to = y.mutable_data<T>();
    rows.each([&](Index at) {
      const double normalizer = log_sum_exp(from + at, rows);
      for (Index k = at; k < at + rows.size * rows.step; k += rows.step) {
        to[k] = static_cast<T>(finish(static_cast<double>(from[k]) - normalizer));
      }
    });
  });
  return y;
}

// dx[k] = change(dy[k], y[k], s) with s = sum over k of weight(dy[k], y[k])
template <class Weight, class Change>
Tensor backward_over_rows(const Tensor& y, const Tensor& dy, const Rows& rows, Weight weight, Change change) {
  Tensor dx = Tensor::empty(y.shape(), y.dtype());
  with_dtype(y.dtype(), [&]<class T>() {
    const T *result = y.data<T>(), *upstream = dy.data<T>();
    T* to = dx.mutable_data<T>();
    rows.each([&](Index at) {
      const Index end = at + rows.size * rows.step;
      double sum = 0;
      for (Index k = at; k < end; k += rows.step) {
        sum += weight(static_cast<double>(upstream[k]), static_cast<double>(result[k]));
      }
      for (Index k = at; k < end; k += rows.step) {
        to[k] = static_cast<T>(change(static_cast<double>(upstream[k]), static_cast<double>(result[k]), sum));
      }
    });
  });
  return dx;
}

}  // namespace

// y = exp(x) / sum exp(x), so dx = y (dy - sum dy y)
Tensor softmax(const Tensor& x, int dim) {
  const Rows rows(x, dim, "softmax");
  Tensor y = over_rows(x, rows, [](double v) { return std::exp(v); });
  return record("softmax", y, {x}, [y = save(y), rows](const Tensor& dy, Gradients& d) {
    d(0, [&] {
      return backward_over_rows(
          y(), dy, rows, [](double g, double v) { return g * v; },
          [](double g, double v, double sum) { return v * (g - sum); });
    });
  });
}

// y = x - log(sum exp(x)), so dx = dy - exp(y) sum dy
Tensor log_softmax(const Tensor& x, int dim) {
  const Rows rows(x, dim, "log_softmax");
  Tensor y = over_rows(x, rows, [](double v) { return v; });
  return record("log_softmax", y, {x}, [y = save(y), rows](const Tensor& dy, Gradients& d) {
    d(0, [&] {
      return backward_over_rows(
          y(), dy, rows, [](double g, double) { return g; },
          [](double g, double v, double sum) { return g - std::exp(v) * sum; });
    });
  });
}

}  // namespace gesso
