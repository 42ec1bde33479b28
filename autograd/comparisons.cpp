#include "gesso/autograd/comparisons.h"

#include <cmath>

#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/core/kernels/broadcast.h"

namespace gesso {
namespace {

// 1 or 0 as a number like `u`.
template <class T>
T truth(bool holds, T) {
  return holds ? T{1} : T{0};
}

Tensor number_like(const Tensor& a, double value, const char* operation) {
  require_defined(a, operation, "the first argument");
  return Tensor::scalar(value, a.dtype());
}

// y = a or b, whichever takes(a, b) says; NaN stays.
template <class Takes>
Tensor choose(const char* operation, const Tensor& a, const Tensor& b, Takes takes) {
  Tensor y = broadcast_map(a, b, operation, [takes](auto u, auto v) {
    return std::isnan(u) ? u : std::isnan(v) ? v : takes(u, v) ? u : v;
  });
  return record(operation, y, {a, b},
                [a = save(a), b = save(b), operation, takes](const Tensor& dy, Gradients& d) {
                  const auto share = [&](const Tensor& mine, const Tensor& other) {
                    const Tensor part = broadcast_map(mine, other, operation, [takes](auto u, auto v) {
                      using T = decltype(u);
                      return u == v ? T(0.5) : takes(v, u) ? T{0} : T{1};
                    });
                    return sum_to(mul(dy, part), mine.shape());
                  };
                  d(0, [&] { return share(a(), b()); });
                  d(1, [&] { return share(b(), a()); });
                });
}

// a[i] where c[i] is not 0, else b[i], for tensors of one shape.
Tensor select(const Tensor& condition, const Tensor& a, const Tensor& b) {
  Tensor y = Tensor::empty(a.shape(), a.dtype());
  with_dtype(a.dtype(), [&]<class T>() {
    const T *from_a = a.data<T>(), *from_b = b.data<T>(), *c = condition.data<T>();
    T* to = y.mutable_data<T>();
    parallel_for(y.numel(), kElementwiseBlock, [&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) {
        to[i] = c[i] != 0 ? from_a[i] : from_b[i];
      }
    });
  });
  return y;
}

}  // namespace

Tensor eq(const Tensor& a, const Tensor& b) {
  return broadcast_map(a, b, "eq", [](auto u, auto v) { return truth(u == v, u); });
}
Tensor ne(const Tensor& a, const Tensor& b) {
  return broadcast_map(a, b, "ne", [](auto u, auto v) { return truth(u != v, u); });
}
Tensor lt(const Tensor& a, const Tensor& b) {
  return broadcast_map(a, b, "lt", [](auto u, auto v) { return truth(u < v, u); });
}
Tensor le(const Tensor& a, const Tensor& b) {
  return broadcast_map(a, b, "le", [](auto u, auto v) { return truth(u <= v, u); });
}
Tensor gt(const Tensor& a, const Tensor& b) {
  return broadcast_map(a, b, "gt", [](auto u, auto v) { return truth(u > v, u); });
}
Tensor ge(const Tensor& a, const Tensor& b) {
  return broadcast_map(a, b, "ge", [](auto u, auto v) { return truth(u >= v, u); });
}
Tensor eq(const Tensor& a, double b) { return eq(a, number_like(a, b, "eq")); }
Tensor ne(const Tensor& a, double b) { return ne(a, number_like(a, b, "ne")); }
Tensor lt(const Tensor& a, double b) { return lt(a, number_like(a, b, "lt")); }
Tensor le(const Tensor& a, double b) { return le(a, number_like(a, b, "le")); }
Tensor gt(const Tensor& a, double b) { return gt(a, number_like(a, b, "gt")); }
Tensor ge(const Tensor& a, double b) { return ge(a, number_like(a, b, "ge")); }

Tensor maximum(const Tensor& a, const Tensor& b) {
  return choose("maximum", a, b, [](auto u, auto v) { return u > v; });
}

Tensor minimum(const Tensor& a, const Tensor& b) {
  return choose("minimum", a, b, [](auto u, auto v) { return u < v; });
}

// y = c ? a : b, so da = c ? dy : 0 and db = c ? 0 : dy
Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b) {
  require_defined(condition, "where", "the condition");
  require_defined(a, "where", "a");
  require_defined(b, "where", "b");
  require_same_dtype(a, b, "where");
  const Shape either = BroadcastPlan(a.shape(), b.shape(), "where").shape;
  const Shape shape = BroadcastPlan(condition.shape(), either, "where").shape;
  const Tensor c = expand_to(ne(condition, 0).to(a.dtype()), shape);
  Tensor y = select(c, expand_to(a, shape), expand_to(b, shape));
  return record("where", y, {a, b}, [c, a = a.shape(), b = b.shape()](const Tensor& dy, Gradients& d) {
    const Tensor zeros = Tensor::zeros(dy.shape(), dy.dtype());
    d(0, [&] { return sum_to(select(c, dy, zeros), a); });
    d(1, [&] { return sum_to(select(c, zeros, dy), b); });
  });
}

}  // namespace gesso
