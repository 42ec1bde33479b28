#include "gesso/autograd/linear.h"

#include <algorithm>

#include "gesso/autograd/batch_share.h"
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
  // Where a batch is shared out, products are made for each sample by itself: those of more rows round otherwise.
  const std::shared_ptr<BatchShare> share = BatchShare::current();
  const Index samples = share && x.rank() > 1 ? x.size(0) : 1;
  const Index own_rows = samples > 0 ? rows / samples : 0;  // of a sample

  Tensor y = Tensor::empty(x.shape().with(-1, out), x.dtype());
  with_dtype(x.dtype(), [&]<class T>() {
    T* result = y.mutable_data<T>();
    if (bias.defined()) {
      for (Index r = 0; r < rows; ++r) {
        std::copy_n(bias.data<T>(), out, result + r * out);
      }
    }
    for (Index n = 0; n < samples; ++n) {
      parallel_gemm<T>(false, true, own_rows, out, in, 1, x.data<T>() + n * own_rows * in, in,
                       weight.data<T>(), in, bias.defined() ? T{1} : T{0}, result + n * own_rows * out, out);
    }
  });
  return record(
      "linear", y, {x, weight, bias},
      [x = save(x, needs_grad(weight)), w = save(weight, needs_grad(x)), bias_shape = Shape{out}, share,
       samples, own_rows, out, in](const Tensor& dy, Gradients& d) {
        with_dtype(dy.dtype(), [&]<class T>() {
          d(0, [&] {
            Tensor dx = Tensor::empty(x.shape(), dy.dtype());
            T* to = dx.mutable_data<T>();
            for (Index n = 0; n < samples; ++n) {
              parallel_gemm<T>(false, false, own_rows, in, out, 1, dy.data<T>() + n * own_rows * out, out,
                               w().data<T>(), in, 0, to + n * own_rows * in, in);
            }
            return dx;
          });
          set_sum_over_samples(
              d, 1, share, "linear", samples, w.shape(), dy.dtype(), [&](Index first, Index count) {
                Tensor dw = Tensor::empty(w.shape(), dy.dtype());
                parallel_gemm<T>(true, false, out, in, count * own_rows, 1,
                                 dy.data<T>() + first * own_rows * out, out,
                                 x().data<T>() + first * own_rows * in, in, 0, dw.mutable_data<T>(), in);
                return dw;
              });
        });
        set_sum_over_samples(d, 2, share, "linear", samples, bias_shape, dy.dtype(),
                             [&](Index first, Index count) {
                               const Tensor part = dy.alias({count * own_rows, out}, first * own_rows * out);
                               return sum_to(part, bias_shape).clone();  // others add to it
                             });
      });
}

}  // namespace gesso
