#include "gesso/autograd/pooling.h"

#include "gesso/autograd/graph.h"
#include "gesso/core/kernels/pooling.h"

namespace gesso {
namespace {

// The windows that `options` ask for, after a check that x has room for them.
Windows checked_windows(const Planes& planes, const Pool2dOptions& options, const Tensor& x,
                        const char* operation) {
  const auto [kernel, stride, padding, ceil_mode] = options;
  require(kernel >= 1 && kernel <= 1 << 20, operation, ": kernel must be from 1 to 2^20, got ", kernel);
  require(stride >= 1, operation, ": stride must be at least 1, got ", stride);
  require(padding >= 0 && padding <= kernel / 2, operation, ": padding must be from 0 to half the kernel of ",
          kernel, ", got ", padding);
  const Index need = kernel - 2 * padding - (ceil_mode ? stride - 1 : 0);
  require(planes.height >= need && planes.width >= need, operation, ": x ", x.shape(),
          " is smaller than one window (kernel ", kernel, ", padding ", padding,
          "); give it planes of at least ", need, "x", need, " pixels or take a smaller kernel");
  // Without pixels there is no largest one, even where padding alone would fill a window.
  require(planes.height >= 1 && planes.width >= 1, operation, ": x ", x.shape(),
          " has planes without pixels");
  return {kernel, stride, padding, ceil_mode};
}

Tensor pooled(const Tensor& x, const Planes& planes, const Windows& windows) {
  return Tensor::empty(with_plane_size(x.shape(), windows.count(planes.height), windows.count(planes.width)),
                       x.dtype());
}

}  // namespace

// y[i, j] = max over the window of x; dx is dy at the pixel that was largest, 0 at the others.
Tensor max_pool2d(const Tensor& x, const Pool2dOptions& options) {
  const Planes planes = planes_of(x, "max_pool2d");
  const Windows windows = checked_windows(planes, options, x, "max_pool2d");
  Tensor y = pooled(x, planes, windows);
  with_dtype(x.dtype(), [&]<class T>() { max_pool(planes, windows, x.data<T>(), y.mutable_data<T>()); });
  return record("max_pool2d", y, {x}, [x = save(x), planes, windows](const Tensor& dy, Gradients& d) {
    d(0, [&] {
      Tensor dx = Tensor::empty(x.shape(), x.dtype());
      with_dtype(x.dtype(), [&]<class T>() {
        max_pool_backward(planes, windows, x().data<T>(), dy.data<T>(), dx.mutable_data<T>());
      });
      return dx;
    });
  });
}

// y[i, j] = (sum over the window of x) / its number of pixels; dx is the sum of dy / that number over the
// windows of a pixel.
Tensor avg_pool2d(const Tensor& x, const Pool2dOptions& options) {
  const Planes planes = planes_of(x, "avg_pool2d");
  const Windows windows = checked_windows(planes, options, x, "avg_pool2d");
  Tensor y = pooled(x, planes, windows);
  with_dtype(x.dtype(), [&]<class T>() { avg_pool(planes, windows, x.data<T>(), y.mutable_data<T>()); });
  return record("avg_pool2d", y, {x}, [shape = x.shape(), planes, windows](const Tensor& dy, Gradients& d) {
    d(0, [&] {
      Tensor dx = Tensor::empty(shape, dy.dtype());
      with_dtype(dy.dtype(),
                 [&]<class T>() { avg_pool_backward(planes, windows, dy.data<T>(), dx.mutable_data<T>()); });
      return dx;
    });
  });
}

}  // namespace gesso
