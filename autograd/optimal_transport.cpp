#include "gesso/autograd/optimal_transport.h"

#include <algorithm>

#include "gesso/autograd/graph.h"
#include "gesso/core/kernels/optimal_transport.h"
#include "gesso/core/parallel.h"

namespace gesso {
namespace {

void check_planes(const Tensor& x, const char* argument) {
  require_defined(x, "squared_wasserstein", argument);
  require(x.rank() == 4, "squared_wasserstein: ", argument, " has shape ", x.shape(),
          "; it must be (N, C, H, W)");
  const Index pixels = x.size(2) * x.size(3);
  require(pixels > 0 && pixels < (Index{1} << 32), "squared_wasserstein: ", argument, " of shape ", x.shape(),
          " has ", pixels, " pixels in a plane; there must be from 1 to 2^32 - 1");
}

// The target with each plane in ascending order.
Tensor sorted_planes(const Tensor& target) {
  Tensor sorted = target.clone();
  const Index pixels = target.size(2) * target.size(3);
  with_dtype(target.dtype(), [&]<class T>() {
    T* values = sorted.mutable_data<T>();
    parallel_for(target.size(0) * target.size(1), 1,
                 [&](Index plane, Index) { sort_values(values + plane * pixels, pixels); });
  });
  return sorted;
}

}  // namespace

// With d[p] = x[p] - q(rank of x[p]) over the P pixels of a plane, q being the target's quantiles:
//     y = sum d^2 / P        dx = 2 dy d / P
// since a small change of x leaves the ranks, and so q, as they are.
Tensor squared_wasserstein(const Tensor& x, const Tensor& target) {
  check_planes(x, "x");
  check_planes(target, "the target");
  require_same_dtype(x, target, "squared_wasserstein");
  const Index samples = x.size(0), channels = x.size(1), pixels = x.size(2) * x.size(3);
  const Index target_samples = target.size(0), target_pixels = target.size(2) * target.size(3);
  require(target.size(1) == channels && (target_samples == samples || target_samples == 1),
          "squared_wasserstein: x has shape ", x.shape(), ", the target ", target.shape(),
          "; it must have as many channels, and as many samples or one");

  const Tensor sorted = sorted_planes(target.detach());
  Tensor difference = Tensor::empty(x.shape(), x.dtype());
  Tensor y = Tensor::empty({samples, channels}, x.dtype());
  with_dtype(x.dtype(), [&]<class T>() {
    const T* from = x.data<T>();
    const T* wanted = sorted.data<T>();
    T* d = difference.mutable_data<T>();
    T* to = y.mutable_data<T>();
    parallel_for(samples * channels, 1, [&](Index plane, Index) {
      const Index target_plane = target_samples == 1 ? plane % channels : plane;
      T* own = d + plane * pixels;
      transport(from + plane * pixels, pixels, wanted + target_plane * target_pixels, target_pixels, own);
      double sum = 0;
      for (Index p = 0; p < pixels; ++p) {
        sum += static_cast<double>(own[p]) * static_cast<double>(own[p]);
      }
      to[plane] = static_cast<T>(sum / static_cast<double>(pixels));
    });
  });
  return record("squared_wasserstein", y, {x}, [=](const Tensor& dy, Gradients& d) {
    d(0, [&] {
      Tensor dx = Tensor::empty(difference.shape(), difference.dtype());
      with_dtype(difference.dtype(), [&]<class T>() {
        const T* from = difference.data<T>();
        const T* upstream = dy.data<T>();
        T* to = dx.mutable_data<T>();
        parallel_for(samples * channels, 1, [&](Index plane, Index) {
          const T scale = upstream[plane] * static_cast<T>(2.0 / static_cast<double>(pixels));
          std::transform(from + plane * pixels, from + (plane + 1) * pixels, to + plane * pixels,
                         [scale](T value) { return scale * value; });
        });
      });
      return dx;
    });
  });
}

}  // namespace gesso
