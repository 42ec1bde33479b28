#include "split_signs.h"

#include "gesso/autograd/graph.h"
#include "gesso/core/parallel.h"
#include "gesso/core/simd/clones.h"

namespace gesso {
namespace {

template <class T>
GESSO_SIMD void forward_plane(const T* x, T* positive, T* negative, Index size, T positive_scale,
                              T negative_scale) {
  for (Index i = 0; i < size; ++i) {
    positive[i] = x[i] > 0 ? positive_scale * x[i] : 0;
    negative[i] = x[i] < 0 ? -negative_scale * x[i] : 0;
  }
}

// dx = scale+ dy+ where x > 0, -scale- dy- where x < 0, else 0.
template <class T>
GESSO_SIMD void backward_plane(const T* x, const T* d_positive, const T* d_negative, T* dx, Index size,
                               T positive_scale, T negative_scale) {
  for (Index i = 0; i < size; ++i) {
    const T plus = positive_scale * d_positive[i];
    const T minus = -negative_scale * d_negative[i];
    dx[i] = x[i] > 0 ? plus : x[i] < 0 ? minus : 0;
  }
}

}  // namespace

Tensor split_signs(const Tensor& x, const Tensor& scale) {
  require_defined(x, "split_signs", "x");
  require(x.rank() == 4, "split_signs: x has shape ", x.shape(), "; it must be (N, C, H, W)");
  require_same_dtype(x, scale, "split_signs");
  const Index channels = x.size(1), plane = x.size(2) * x.size(3), planes = x.size(0) * channels;
  require(scale.numel() == 2 * channels, "split_signs: scale has ", scale.numel(), " elements for ", channels,
          " channels; it needs two for each");
  // Where the positive part of plane p = n C + c begins in y; the negative part is C planes further.
  const auto positive_at = [=](Index p) { return (p / channels * 2 * channels + p % channels) * plane; };

  Tensor y = Tensor::empty({x.size(0), 2 * channels, x.size(2), x.size(3)}, x.dtype());
  with_dtype(x.dtype(), [&]<class T>() {
    const T* from = x.data<T>();
    const T* s = scale.data<T>();
    T* to = y.mutable_data<T>();
    parallel_for(planes, 1, [&](Index p, Index) {
      const Index c = p % channels;
      T* positive = to + positive_at(p);
      forward_plane(from + p * plane, positive, positive + channels * plane, plane, s[c], s[channels + c]);
    });
  });
  return record("split_signs", y, {x}, [=, x = save(x), scale = save(scale)](const Tensor& dy, Gradients& d) {
    d(0, [&] {
      Tensor dx = Tensor::empty(x.shape(), x.dtype());
      with_dtype(x.dtype(), [&]<class T>() {
        const T* from = x().template data<T>();
        const T* upstream = dy.data<T>();
        const T* s = scale().template data<T>();
        T* to = dx.mutable_data<T>();
        parallel_for(planes, 1, [&](Index p, Index) {
          const Index c = p % channels;
          const T* positive = upstream + positive_at(p);
          backward_plane(from + p * plane, positive, positive + channels * plane, to + p * plane, plane, s[c],
                         s[channels + c]);
        });
      });
      return dx;
    });
  });
}

}  // namespace gesso
