#include "gesso/autograd/pooling.h"

#include "gesso/autograd/graph.h"
#include "gesso/core/kernels/adaptive_pooling.h"
#include "gesso/core/kernels/pooling.h"

namespace gesso {
namespace {

// The windows along one side, after a check that it has room for them.
WindowsAlong checked_along(Index kernel, Index stride, Index padding, bool ceil_mode, Index size,
                           const Tensor& x, const char* operation) {
  require(kernel >= 1 && kernel <= 1 << 20, operation, ": kernel must be from 1 to 2^20, got ", kernel);
  require(stride >= 1, operation, ": stride must be at least 1, got ", stride);
  require(padding >= 0 && padding <= kernel / 2, operation, ": padding must be from 0 to half the kernel of ",
          kernel, ", got ", padding);
  const Index need = kernel - 2 * padding - (ceil_mode ? stride - 1 : 0);
  require(size >= need, operation, ": x ", x.shape(), " is smaller than one window (kernel ", kernel,
          ", padding ", padding, "); give it planes with sides of at least ", need,
          " pixels or take a smaller kernel");
  return {kernel, stride, padding, ceil_mode};
}

Windows checked_windows(const Planes& planes, const Pool2dOptions& options, const Tensor& x,
                        const char* operation) {
  const auto& [kernel, stride, padding, ceil_mode] = options;
  // Without pixels there is no largest one, even where padding alone would fill a window.
  require(planes.height >= 1 && planes.width >= 1, operation, ": x ", x.shape(),
          " has planes without pixels");
  return {checked_along(kernel.height, stride.height, padding.height, ceil_mode, planes.height, x, operation),
          checked_along(kernel.width, stride.width, padding.width, ceil_mode, planes.width, x, operation)};
}

Tensor pooled(const Tensor& x, const Planes& planes, const Windows& windows) {
  return Tensor::empty(with_plane_size(x.shape(), windows.rows(planes), windows.columns(planes)), x.dtype());
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

// y[i, j] = the mean over window (i, j) of x; dx is the sum of dy / its number of pixels over the windows of a pixel.
Tensor adaptive_avg_pool2d(const Tensor& x, Size2d size) {
  const Planes planes = planes_of(x, "adaptive_avg_pool2d");
  require(planes.height >= 1 && planes.width >= 1, "adaptive_avg_pool2d: x ", x.shape(),
          " has planes without pixels");
  constexpr Index most = 1 << 20;
  require(size.height >= 1 && size.width >= 1 && size.height <= most && size.width <= most,
          "adaptive_avg_pool2d: the size ", size, " (height x width) is not from 1 to 2^20");
  Tensor y = Tensor::empty(with_plane_size(x.shape(), size.height, size.width), x.dtype());
  with_dtype(x.dtype(),
             [&]<class T>() { adaptive_avg_pool(planes, size, x.data<T>(), y.mutable_data<T>()); });
  return record("adaptive_avg_pool2d", y, {x},
                [shape = x.shape(), planes, size](const Tensor& dy, Gradients& d) {
                  d(0, [&] {
                    Tensor dx = Tensor::empty(shape, dy.dtype());
                    with_dtype(dy.dtype(), [&]<class T>() {
                      adaptive_avg_pool_backward(planes, size, dy.data<T>(), dx.mutable_data<T>());
                    });
                    return dx;
                  });
                });
}

}  // namespace gesso
