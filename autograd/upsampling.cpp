#include "gesso/autograd/upsampling.h"

#include <cmath>

#include "gesso/autograd/graph.h"
#include "gesso/core/kernels/pixel_blocks.h"
#include "gesso/core/kernels/upsampling.h"

namespace gesso {

// y[i, j] = x[i / scale, j / scale]; dx is the sum of dy over each block.
Tensor upsample_nearest2d(const Tensor& x, Index scale) {
  Planes planes = planes_of(x, "upsample_nearest2d");
  require(scale >= 1 && scale <= 1 << 20, "upsample_nearest2d: scale must be from 1 to 2^20, got ", scale);
  const Shape large = with_plane_size(x.shape(), planes.height * scale, planes.width * scale);
  planes.height *= scale;
  planes.width *= scale;
  Tensor y = Tensor::empty(large, x.dtype());
  with_dtype(x.dtype(),
             [&]<class T>() { repeat_blocks(planes, scale, T{1}, x.data<T>(), y.mutable_data<T>()); });
  return record(
      "upsample_nearest2d", y, {x}, [shape = x.shape(), planes, scale](const Tensor& dy, Gradients& d) {
        d(0, [&] {
          Tensor dx = Tensor::empty(shape, dy.dtype());
          with_dtype(dy.dtype(),
                     [&]<class T>() { sum_blocks(planes, scale, T{1}, dy.data<T>(), dx.mutable_data<T>()); });
          return dx;
        });
      });
}

// y = R x C', where each row of R and C holds the two weights of one output row or column; dx = R' dy C.
Tensor upsample_bilinear2d(const Tensor& x, const BilinearOptions& options) {
  const Planes planes = planes_of(x, "upsample_bilinear2d");
  const bool by_scale = options.scale != 0, by_size = options.height != 0 || options.width != 0;
  require(by_scale != by_size, "upsample_bilinear2d: give either scale or height and width");
  require(planes.height >= 1 && planes.width >= 1, "upsample_bilinear2d: x ", x.shape(),
          " has planes without pixels");
  Index height = options.height, width = options.width;
  double row_step = 0, column_step = 0;
  if (by_scale) {
    require(options.scale > 0 && options.scale <= 1e6, "upsample_bilinear2d: scale must be in (0, 1e6], got ",
            options.scale);
    height = static_cast<Index>(std::floor(options.scale * static_cast<double>(planes.height)));
    width = static_cast<Index>(std::floor(options.scale * static_cast<double>(planes.width)));
    row_step = column_step = 1 / options.scale;
  }
  require(height >= 1 && width >= 1, "upsample_bilinear2d: the result of x ", x.shape(), " would be ", height,
          "x", width, " pixels; it must have at least 1x1");
  if (by_size) {
    row_step = static_cast<double>(planes.height) / static_cast<double>(height);
    column_step = static_cast<double>(planes.width) / static_cast<double>(width);
  }
  Tensor y = Tensor::empty(with_plane_size(x.shape(), height, width), x.dtype());
  const LinearMap rows = linear_map(planes.height, height, row_step, options.align_corners);
  const LinearMap columns = linear_map(planes.width, width, column_step, options.align_corners);
  with_dtype(x.dtype(),
             [&]<class T>() { resample_bilinear(planes, rows, columns, x.data<T>(), y.mutable_data<T>()); });
  return record("upsample_bilinear2d", y, {x},
                [shape = x.shape(), planes, rows, columns](const Tensor& dy, Gradients& d) {
                  d(0, [&] {
                    Tensor dx = Tensor::empty(shape, dy.dtype());
                    with_dtype(dy.dtype(), [&]<class T>() {
                      resample_bilinear_backward(planes, rows, columns, dy.data<T>(), dx.mutable_data<T>());
                    });
                    return dx;
                  });
                });
}

}  // namespace gesso
