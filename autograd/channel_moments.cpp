#include "gesso/autograd/channel_moments.h"

#include <algorithm>

#include "gesso/autograd/graph.h"
#include "gesso/core/kernels/channel_products.h"
#include "gesso/core/kernels/reduce.h"

namespace gesso {
namespace {

struct Sizes {
  Sizes(const Tensor& x, const char* operation) {
    require_defined(x, operation, "its argument");
    require(x.rank() == 4, operation, ": the argument has shape ", x.shape(),
            "; it must be (N, C, H, W), reshape a single picture to (1, C, H, W)");
    samples = x.size(0);
    channels = x.size(1);
    pixels = x.size(2) * x.size(3);
    require(pixels > 0, operation, ": the argument of shape ", x.shape(), " has no pixels");
  }

  Index samples, channels, pixels;
};

// (N, C) means in float64.
Tensor channel_means(const Tensor& x, const Sizes& sizes) {
  Tensor mean = sum_keeping(x, {sizes.samples, sizes.channels, 1, 1}, float64);
  return mean.mul_(1 / static_cast<double>(sizes.pixels));
}

// scale (g + g^T)(F - mean) + shift for g (N, C, C), the gradient of what (F - mean)(F - mean)^T became:
//     g : d(F F^T) = g : (dF F^T + F dF^T) = (g + g^T) F : dF
// `mean` and `shift`, (N, C) in float64, may be null.
Tensor mixed_channels(const Tensor& x, const Tensor* mean, const Tensor& g, double scale, const Tensor* shift,
                      const Sizes& sizes) {
  Tensor dx = Tensor::empty(x.shape(), x.dtype());
  with_dtype(x.dtype(), [&]<class T>() {
    mix_channels<T>(x.data<T>(), mean ? mean->data<double>() : nullptr, g.data<T>(), scale,
                    shift ? shift->data<double>() : nullptr, sizes.samples, sizes.channels, sizes.pixels,
                    dx.mutable_data<T>());
  });
  return dx;
}

double divisor_of(GramNormalizer normalizer, const Sizes& sizes) {
  switch (normalizer) {
    case GramNormalizer::none:
      return 1;
    case GramNormalizer::pixels:
      return static_cast<double>(sizes.pixels);
    case GramNormalizer::channels_and_pixels:
      return static_cast<double>(std::max<Index>(1, sizes.channels) * sizes.pixels);
  }
  throw ArgumentError("gram_matrix: the normalizer is none of GramNormalizer's values");
}

}  // namespace

// y = a F F^T, so dF = a (dy + dy^T) F
Tensor gram_matrix(const Tensor& x, GramNormalizer normalizer) {
  const Sizes sizes(x, "gram_matrix");
  const double scale = 1 / divisor_of(normalizer, sizes);
  Tensor y = Tensor::empty({sizes.samples, sizes.channels, sizes.channels}, x.dtype());
  with_dtype(x.dtype(), [&]<class T>() {
    channel_products<T>(x.data<T>(), nullptr, scale, sizes.samples, sizes.channels, sizes.pixels,
                        y.mutable_data<T>());
  });
  return record("gram_matrix", y, {x}, [x = save(x), sizes, scale](const Tensor& dy, Gradients& d) {
    d(0, [&] { return mixed_channels(x(), nullptr, dy, scale, nullptr, sizes); });
  });
}

// Both results are parts of one flat tensor, covariances first. With P pixels:
//     mean = F 1 / P                             dF = dmean 1^T / P
//     covariance = (F - mu)(F - mu)^T / P        dF = (dcov + dcov^T)(F - mu) / P
// What reaches F by way of mu in the covariance is a sum over the pixels of F - mu, which is 0.
ChannelMoments channel_moments(const Tensor& x) {
  const Sizes sizes(x, "channel_moments");
  const Index means_at = sizes.samples * sizes.channels * sizes.channels;
  const Index end = means_at + sizes.samples * sizes.channels;
  const Tensor mean = channel_means(x, sizes);
  Tensor both = Tensor::empty({end}, x.dtype());
  with_dtype(x.dtype(), [&]<class T>() {
    T* y = both.mutable_data<T>();
    channel_products<T>(x.data<T>(), mean.data<double>(), 1 / static_cast<double>(sizes.pixels),
                        sizes.samples, sizes.channels, sizes.pixels, y);
    std::transform(mean.data<double>(), mean.data<double>() + mean.numel(), y + means_at,
                   [](double value) { return static_cast<T>(value); });
  });
  both = record("channel_moments", both, {x},
                [x = save(x), mean, sizes, means_at](const Tensor& dy, Gradients& d) {
                  d(0, [&] {
                    const double scale = 1 / static_cast<double>(sizes.pixels);
                    Tensor shift = Tensor::empty({sizes.samples, sizes.channels}, float64);
                    shift.copy_(dy.alias(shift.shape(), means_at)).mul_(scale);
                    return mixed_channels(x(), &mean, dy, scale, &shift, sizes);
                  });
                });
  return {both.slice(means_at, end).reshape({sizes.samples, sizes.channels}),
          both.slice(0, means_at).reshape({sizes.samples, sizes.channels, sizes.channels})};
}

Tensor covariance_matrix(const Tensor& x) { return channel_moments(x).covariance; }

}  // namespace gesso
