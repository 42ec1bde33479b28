#include "gesso/autograd/linear.h"

#include <algorithm>

#include "gesso/autograd/graph.h"
#include "gesso/core/kernels/broadcast.h"
#include "gesso/core/kernels/gemm.h"

namespace gesso {

// With the rows of x as a matrix (n, in):
//   y = x w^T + b,   dx = dy w,   dw = dy^T x,   db = the sum of dy's rows
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  require_defined(x, "linear", "x");
  require_defined(weight, "linear", "weight");
  require_same_dtype(x, weight, "linear");
  require(weight.rank() == 2, "linear: weight has shape ", weight.shape(), "; it must be (out, in)");
  const Index out = weight.size(0), in = weight.size(1);
  require(x.rank() >= 1 && x.size(-1) == in, "linear: x has shape ", x.shape(), "; with a weight of ",
          weight.shape(), " its last dimension must have size ", in);
  if (bias.defined()) {
    require_same_dtype(x, bias, "linear");
    require(bias.shape() == Shape{out}, "linear: bias has shape ", bias.shape(), "; with a weight of ",
            weight.shape(), " it must be ", Shape{out});
  }
  const Index rows = x.shape().numel(0, x.rank() - 1);

  Tensor y = Tensor::empty(x.shape().with(-1, out), x.dtype());
  with_dtype(x.dtype(), [&]<class T>() {
    T* result = y.mutable_data<T>();
    if (bias.defined()) {
      for (Index r = 0; r < rows; ++r) {
        std::copy_n(bias.data<T>(), out, result + r * out);
      }
    }
    parallel_gemm<T>(false, true, rows, out, in, 1, x.data<T>(), in, weight.data<T>(), in,
                     bias.defined() ? T{1} : T{0}, result, out);
  });
  return record("linear", y, {x, weight, bias},
                [x = save(x, needs_grad(weight)), w = save(weight, needs_grad(x)), bias_shape = Shape{out},
                 rows, out, in](const Tensor& dy, Gradients& d) {
                  with_dtype(dy.dtype(), [&]<class T>() {
                    d(0, [&] {
                      Tensor dx = Tensor::empty(x.shape(), dy.dtype());
                      parallel_gemm<T>(false, false, rows, in, out, 1, dy.data<T>(), out, w().data<T>(), in,
                                       0, dx.mutable_data<T>(), in);
                      return dx;
                    });
                    d(1, [&] {
                      Tensor dw = Tensor::empty(w.shape(), dy.dtype());
                      parallel_gemm<T>(true, false, out, in, rows, 1, dy.data<T>(), out, x().data<T>(), in, 0,
                                       dw.mutable_data<T>(), in);
                      return dw;
                    });
                  });
                  d(2, [&] { return sum_to(dy, bias_shape); });
                });
}

}  // namespace gesso
