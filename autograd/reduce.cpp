#include "gesso/autograd/reduce.h"

#include <algorithm>
#include <cmath>

#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/core/kernels/broadcast.h"
#include "gesso/core/kernels/reduce.h"

namespace gesso {
namespace {

// What `dims` mean for a tensor: its shape with the reduced dimensions at size 1, and without them.
struct Reduction {
  Reduction(const Tensor& x, const std::vector<int>& dims, bool keepdim, const char* operation) {
    require_defined(x, operation, "its argument");
    std::vector<bool> reduced(x.rank(), dims.empty());
    for (int dim : dims) {
      require(dim >= -x.rank() && dim < x.rank(), operation, ": dimension ", dim,
              " is out of range for shape ", x.shape());
      const int d = x.shape().check_dim(dim);
      require(!reduced[d], operation, ": dimension ", dim, " is listed twice for shape ", x.shape());
      reduced[d] = true;
    }
    std::vector<Index> with_ones, without;
    for (int d = 0; d < x.rank(); ++d) {
      with_ones.push_back(reduced[d] ? 1 : x.size(d));
      count *= reduced[d] ? x.size(d) : 1;
      if (!reduced[d] || keepdim) {
        without.push_back(with_ones.back());
      }
    }
    kept = Shape(with_ones);
    result = Shape(without);
  }

  Shape kept, result;
  Index count = 1;  // elements that each result is made of
};

// sums / n, float64, outside the graph
Tensor divided(const Tensor& sums, double n) {
  return map_elements(sums, [n](auto v) { return static_cast<decltype(v)>(static_cast<double>(v) / n); });
}

}  // namespace

// y = sum of x, so dx = dy, repeated
Tensor sum(const Tensor& x, const std::vector<int>& dims, bool keepdim) {
  const Reduction to(x, dims, keepdim, "sum");
  Tensor y = sum_keeping(x, to.kept, x.dtype()).alias(to.result);
  return record("sum", y, {x}, [from = x.shape(), kept = to.kept](const Tensor& dy, Gradients& d) {
    d(0, [&] { return expand_to(dy.alias(kept), from); });
  });
}

// y = sum of x / n, so dx = dy / n, repeated
Tensor mean(const Tensor& x, const std::vector<int>& dims, bool keepdim) {
  const Reduction to(x, dims, keepdim, "mean");
  require(to.count > 0, "mean: no elements to take the mean of in shape ", x.shape());
  const double n = static_cast<double>(to.count);
  // Divided before rounding, so that a float32 sum that would overflow does not; and not multiplied by 1 / n,
  // which is rounded itself: 49 * (1 / 49) is not 1.
  Tensor y = divided(sum_keeping(x, to.kept, float64), n).to(x.dtype()).alias(to.result);
  return record("mean", y, {x}, [from = x.shape(), kept = to.kept, n](const Tensor& dy, Gradients& d) {
    d(0, [&] { return expand_to(affine(dy.alias(kept), 1 / n, 0), from); });
  });
}

// y = sum of (x - mean)^2 / m with m = n or n - 1, so dx = 2 (x - mean) dy / m: what reaches x by way of the
// mean is a sum of deviations, which is 0.
Tensor variance(const Tensor& x, const std::vector<int>& dims, const VarianceOptions& options) {
  const Reduction to(x, dims, options.keepdim, "variance");
  const Index divisor = to.count - (options.unbiased ? 1 : 0);
  require(divisor > 0, "variance: ", to.count, " element(s) per result in shape ", x.shape(),
          options.unbiased ? "; the unbiased variance needs at least 2, set unbiased to false" : "");
  const Tensor mean64 = divided(sum_keeping(x, to.kept, float64), static_cast<double>(to.count));
  const auto m = static_cast<double>(divisor);
  Tensor y = divided(squared_deviations(x, mean64), m).to(x.dtype()).alias(to.result);
  return record("variance", y, {x}, [x = save(x), mean64, m](const Tensor& dy, Gradients& d) {
    d(0, [&] {
      const Tensor slope = affine(dy.alias(mean64.shape()), 2 / m, 0);
      // The mean in two numbers of x's type: x - high is exact where x is close to the mean, and low is what
      // float32 cannot hold beside high.
      const Tensor high = mean64.to(x.dtype()), low = sub(mean64, high.to(float64)).to(x.dtype());
      return mul(sub(sub(x(), high), low), slope);
    });
  });
}

// y = sqrt(sum x^2), so dx = x dy / y
Tensor norm(const Tensor& x, const std::vector<int>& dims, bool keepdim) {
  const Reduction to(x, dims, keepdim, "norm");
  const Tensor squares = squared_deviations(x, Tensor::zeros(to.kept, float64));
  Tensor y = map_elements(squares, [](auto v) { return std::sqrt(v); }).to(x.dtype()).alias(to.result);
  return record("norm", y, {x}, [x = save(x), y = save(y), kept = to.kept](const Tensor& dy, Gradients& d) {
    d(0, [&] {
      const Tensor slope =
          zip_elements(dy, y(), [](auto g, auto v) { return v == 0 ? decltype(v){0} : g / v; });
      return mul(x(), slope.alias(kept));
    });
  });
}

std::vector<Index> argmax(const Tensor& x, int dim) {
  require_defined(x, "argmax", "its argument");
  require(dim >= -x.rank() && dim < x.rank(), "argmax: dimension ", dim, " is out of range for shape ",
          x.shape());
  const int d = x.shape().check_dim(dim);
  const Index size = x.size(d);
  require(size > 0, "argmax: dimension ", dim, " of shape ", x.shape(), " has no elements");
  const Index inner = x.shape().numel(d + 1, x.rank());
  std::vector<Index> result(x.numel() / size);
  with_dtype(x.dtype(), [&]<class T>() {
    const T* values = x.data<T>();
    for (std::size_t r = 0; r < result.size(); ++r) {
      const auto i = static_cast<Index>(r);
      const T* line = values + i / inner * size * inner + i % inner;
      for (Index k = 1; k < size; ++k) {
        const T value = line[k * inner], best = line[result[r] * inner];
        if (value > best || (std::isnan(value) && !std::isnan(best))) {
          result[r] = k;
        }
      }
    }
  });
  return result;
}

Tensor Tensor::sum(const std::vector<int>& dims, bool keepdim) const {
  return gesso::sum(*this, dims, keepdim);
}

Tensor Tensor::mean(const std::vector<int>& dims, bool keepdim) const {
  return gesso::mean(*this, dims, keepdim);
}

}  // namespace gesso
