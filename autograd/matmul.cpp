#include "gesso/autograd/matmul.h"

#include <algorithm>

#include "gesso/autograd/graph.h"
#include "gesso/core/kernels/broadcast.h"
#include "gesso/core/kernels/gemm.h"

namespace gesso {
namespace {

// The batch dimensions of a stack of matrices.
Shape batch_of(const Shape& shape) { return Shape(std::vector<Index>(shape.begin(), shape.end() - 2)); }

Shape matrices(const Shape& batch, Index rows, Index columns) {
  std::vector<Index> sizes(batch.begin(), batch.end());
  sizes.insert(sizes.end(), {rows, columns});
  return Shape(sizes);
}

// For every matrix of the batch `result`: the number of the matrix of `from` that it is made of.
std::vector<Index> matrix_numbers(const Shape& from, const Shape& result) {
  std::vector<Index> numbers(result.numel());
  const auto strides = from.strides();
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    auto rest = static_cast<Index>(i);
    for (int d = 1; d <= from.rank(); ++d) {  // counted from the right
      numbers[i] += from[-d] == 1 ? 0 : rest % result[-d] * strides[from.rank() - d];
      rest /= result[-d];
    }
  }
  return numbers;
}

// op(a) op(b) for stacks of matrices, with op the transpose where asked for; no place in the graph.
Tensor product(const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b) {
  const Index m = a.size(transpose_a ? -1 : -2), k = a.size(transpose_a ? -2 : -1);
  const Index n = b.size(transpose_b ? -2 : -1);
  const Shape batch = broadcast_shapes(batch_of(a.shape()), batch_of(b.shape()), "matmul");
  Tensor y = Tensor::empty(matrices(batch, m, n), a.dtype());
  with_dtype(a.dtype(), [&]<class T>() {
    const T* from_a = a.data<T>();
    const T* from_b = b.data<T>();
    T* to = y.mutable_data<T>();
    const Index count = batch.numel();
    if (count == 1) {
      parallel_gemm<T>(transpose_a, transpose_b, m, n, k, 1, from_a, a.size(-1), from_b, b.size(-1), 0, to,
                       n);
      return;
    }
    const std::vector<Index> a_numbers = matrix_numbers(batch_of(a.shape()), batch);
    const std::vector<Index> b_numbers = matrix_numbers(batch_of(b.shape()), batch);
    const Index work = std::max<Index>(1, m * n * k);
    constexpr Index few = 8;  // large products: their own blocks keep all threads busy
    const auto multiply = [&](Index i, const auto& gemm_of_T) {
      gemm_of_T(transpose_a, transpose_b, m, n, k, T{1}, from_a + a_numbers[i] * m * k, a.size(-1),
                from_b + b_numbers[i] * k * n, b.size(-1), T{0}, to + i * m * n, n);
    };
    if (count < few && work > (1 << 20)) {
      for (Index i = 0; i < count; ++i) {
        multiply(i, parallel_gemm<T>);
      }
      return;
    }
    parallel_for(count, std::max<Index>(1, (1 << 16) / work), [&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) {
        multiply(i, gemm<T>);
      }
    });
  });
  return y;
}

}  // namespace

// y = a b, so da = dy b^T and db = a^T dy, each summed over the matrices that shared it.
Tensor matmul(const Tensor& a, const Tensor& b) {
  require_defined(a, "matmul", "the first argument");
  require_defined(b, "matmul", "the second argument");
  require_same_dtype(a, b, "matmul");
  require(a.rank() >= 2 && b.rank() >= 2, "matmul: shapes ", a.shape(), " and ", b.shape(),
          "; both need two dimensions or more, reshape a vector to a row or a column");
  require(a.size(-1) == b.size(-2), "matmul: shapes ", a.shape(), " and ", b.shape(),
          " do not fit: the rows of the first have ", a.size(-1), " elements, the columns of the second ",
          b.size(-2));
  const Shape batch = broadcast_shapes(batch_of(a.shape()), batch_of(b.shape()), "matmul");
  // All matrices of a against one b are one tall matrix: one product, and db comes out summed.
  const bool tall = batch_of(b.shape()).numel() == 1 && batch_of(a.shape()).numel() != 1;
  const Shape a_shape = tall ? Shape{a.shape().numel(0, a.rank() - 1), a.size(-1)} : a.shape();
  const Shape b_shape = tall ? Shape{b.size(-2), b.size(-1)} : b.shape();
  Tensor y = product(a.alias(a_shape), false, b.alias(b_shape), false)
                 .alias(matrices(batch, a.size(-2), b.size(-1)));
  return record(
      "matmul", y, {a, b},
      [a = save(a, needs_grad(b)), b = save(b, needs_grad(a)), a_shape, b_shape,
       y_shape = tall ? Shape{a_shape[0], b.size(-1)} : y.shape()](const Tensor& dy, Gradients& d) {
        const Tensor g = dy.alias(y_shape);
        d(0, [&] { return sum_to(product(g, false, b().alias(b_shape), true), a_shape).alias(a.shape()); });
        d(1, [&] { return sum_to(product(a().alias(a_shape), true, g, false), b_shape).alias(b.shape()); });
      });
}

Tensor Tensor::matmul(const Tensor& other) const { return gesso::matmul(*this, other); }

}  // namespace gesso
