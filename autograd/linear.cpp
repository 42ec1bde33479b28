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
          const auto dw_of = [&](Index n) {
            Tensor dw = Tensor::empty(w.shape(), dy.dtype());
            parallel_gemm<T>(true, false, out, in, own_rows, 1, dy.data<T>() + n * own_rows * out, out,
                             x().data<T>() + n * own_rows * in, in, 0, dw.mutable_data<T>(), in);
            return dw;
          };
          if (share && d.wanted(1)) {
            d.later(1, share->sum("linear", samples, w.shape(), dy.dtype(), dw_of));
          } else {
            d(1, [&] { return dw_of(0); });
          }
        });
        const auto db_of = [&](Index n) {
          const Tensor rows_of_sample = dy.alias({own_rows, bias_shape[0]}, n * own_rows * bias_shape[0]);
          return sum_to(rows_of_sample, bias_shape).clone();  // others add to it
        };
        if (share && d.wanted(2)) {
          d.later(2, share->sum("linear", samples, bias_shape, dy.dtype(), db_of));
        } else {
          d(2, [&] { return db_of(0); });
        }
      });
}

}  // namespace gesso
