#include "gesso/autograd/losses.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "gesso/autograd/graph.h"
#include "gesso/core/kernels/elementwise.h"

namespace gesso {
namespace {

void check_alike(const Tensor& x, const Tensor& target, const char* operation) {
  require_defined(x, operation, "the first argument");
  require_defined(target, operation, "the target");
  require(x.shape() == target.shape(), operation, ": the first argument has shape ", x.shape(),
          ", the target ", target.shape(), "; they must be equal");
  require_same_dtype(x, target, operation);
}

void check_pair(const Tensor& x, const Tensor& target, const char* operation) {
  check_alike(x, target, operation);
  require(x.numel() > 0, operation, ": shape ", x.shape(), " has no elements to take the mean of");
}

// sum of f(a[i] - b[i]), in float64
template <class T, class F>
GESSO_SIMD double sum_of_differences(const T* a, const T* b, Index count, F f) {
  constexpr int lanes = 16;  // running sums, so that additions need not wait for each other
  double sums[lanes] = {};
  Index i = 0;
  for (; i + lanes <= count; i += lanes) {
    for (int lane = 0; lane < lanes; ++lane) {
      sums[lane] += f(static_cast<double>(a[i + lane]) - static_cast<double>(b[i + lane]));
    }
  }
  double total = 0;
  for (double sum : sums) {
    total += sum;
  }
  for (; i < count; ++i) {
    total += f(static_cast<double>(a[i]) - static_cast<double>(b[i]));
  }
  return total;
}

// sum of f(a[i] - b[i]) in blocks, on all threads
template <class T, class F>
double sum_of_all_differences(const T* a, const T* b, Index count, F f) {
  return parallel_sum<double>(count, kElementwiseBlock, [&](Index begin, Index end) {
    return sum_of_differences(a + begin, b + begin, end - begin, f);
  });
}

// The derivative of |d|: 0 at 0.
constexpr auto kSign = [](auto d) { return static_cast<decltype(d)>((d > 0) - (d < 0)); };

// mean f(x - target), with the derivative `slope` of f: dx = dy slope(x - target) / n and dtarget = -dx.
template <class F, class Slope>
Tensor mean_of_differences(const char* operation, const Tensor& x, const Tensor& target, F f, Slope slope) {
  check_pair(x, target, operation);
  const auto count = static_cast<double>(x.numel());
  const double total = with_dtype(x.dtype(), [&]<class T>() {
    return sum_of_all_differences(x.data<T>(), target.data<T>(), x.numel(), f);
  });
  return record(operation, Tensor::scalar(total / count, x.dtype()), {x, target},
                [x = save(x), target = save(target), slope, count](const Tensor& dy, Gradients& d) {
                  const auto gradient = [&](double factor) {
                    Tensor dx = Tensor::empty(x.shape(), x.dtype());
                    with_dtype(x.dtype(), [&]<class T>() {
                      zip_elements(x().data<T>(), target().data<T>(), dx.mutable_data<T>(), dx.numel(),
                                   [slope, scale = static_cast<T>(factor / count)](T u, T v) {
                                     return scale * slope(u - v);
                                   });
                    });
                    return dx;
                  };
                  d(0, [&] { return gradient(dy.item()); });
                  d(1, [&] { return gradient(-dy.item()); });
                });
}

}  // namespace

// y = sum (x - t)^2 / n, so dx = 2 (x - t) / n
Tensor mse_loss(const Tensor& x, const Tensor& target) {
  return mean_of_differences(
      "mse_loss", x, target, [](double d) { return d * d; }, [](auto d) { return 2 * d; });
}

// y[n] = sum (x[n] - t[n])^2 / size, so dx[n] = 2 dy[n] (x[n] - t[n]) / size
Tensor mse_of_samples(const Tensor& x, const Tensor& target) {
  check_alike(x, target, "mse_of_samples");
  require(x.rank() >= 1, "mse_of_samples: the arguments are scalars; they must be (N, ...)");
  const Index samples = x.size(0), size = x.shape().numel(1, x.rank());
  require(size > 0, "mse_of_samples: samples of shape ", x.shape(), " have no elements to take the mean of");
  Tensor y = Tensor::empty({samples}, x.dtype());
  with_dtype(x.dtype(), [&]<class T>() {
    T* to = y.mutable_data<T>();
    for (Index n = 0; n < samples; ++n) {
      const double total = sum_of_all_differences(x.data<T>() + n * size, target.data<T>() + n * size, size,
                                                  [](double d) { return d * d; });
      to[n] = static_cast<T>(total / static_cast<double>(size));
    }
  });
  return record("mse_of_samples", y, {x, target},
                [x = save(x), target = save(target), samples, size](const Tensor& dy, Gradients& d) {
                  const auto gradient = [&](double sign) {
                    Tensor dx = Tensor::empty(x.shape(), x.dtype());
                    with_dtype(x.dtype(), [&]<class T>() {
                      for (Index n = 0; n < samples; ++n) {
                        const double slope = sign * 2 * static_cast<double>(dy.data<T>()[n]);
                        zip_elements(x().data<T>() + n * size, target().data<T>() + n * size,
                                     dx.mutable_data<T>() + n * size, size,
                                     [scale = static_cast<T>(slope / static_cast<double>(size))](T u, T v) {
                                       return scale * (u - v);
                                     });
                      }
                    });
                    return dx;
                  };
                  d(0, [&] { return gradient(1); });
                  d(1, [&] { return gradient(-1); });
                });
}

// y = sum |x - t| / n, so dx = sign(x - t) / n
Tensor l1_loss(const Tensor& x, const Tensor& target) {
  return mean_of_differences(
      "l1_loss", x, target, [](double d) { return std::abs(d); }, kSign);
}

// With smoothing s, y = mean over rows r of log(sum over c of exp(x[r, c])) - (1 - s) x[r, label[r]] - s mean(x[r]),
// so dx = (softmax(x) - (1 - s) one_hot - s / C) / N
Tensor cross_entropy(const Tensor& logits, const std::vector<Index>& labels,
                     const CrossEntropyOptions& options) {
  require_defined(logits, "cross_entropy", "logits");
  require(logits.rank() == 2 && logits.numel() > 0, "cross_entropy: logits have shape ", logits.shape(),
          "; they must be (N, C) with at least one row and one class");
  const Index samples = logits.size(0), classes = logits.size(1);
  const double smoothing = options.label_smoothing;
  require(smoothing >= 0 && smoothing <= 1, "cross_entropy: label_smoothing is ", smoothing,
          "; it must be from 0 to 1");
  require(static_cast<Index>(labels.size()) == samples, "cross_entropy: ", labels.size(),
          " labels for logits of shape ", logits.shape(), "; one per row is needed");
  for (Index r = 0; r < samples; ++r) {
    require(labels[r] >= 0 && labels[r] < classes, "cross_entropy: label ", labels[r], " of row ", r,
            " is out of range; with logits of shape ", logits.shape(), " labels are 0 to ", classes - 1);
  }
  const bool keep = needs_grad(logits);
  Tensor softmax = Tensor::empty(keep ? logits.shape() : Shape{0}, logits.dtype());
  const double total = with_dtype(logits.dtype(), [&]<class T>() {
    const T* x = logits.data<T>();
    T* p = softmax.mutable_data<T>();
    const Index rows_a_block = std::max<Index>(1, (kElementwiseBlock / 4) / classes);
    return parallel_sum<double>(samples, rows_a_block, [&](Index begin, Index end) {
      double sum = 0;
      for (Index r = begin; r < end; ++r) {
        const T* row = x + r * classes;
        const double largest = *std::max_element(row, row + classes);
        double weight = 0;
        for (Index c = 0; c < classes; ++c) {
          weight += std::exp(static_cast<double>(row[c]) - largest);
        }
        const double log_weight = largest + std::log(weight);
        for (Index c = 0; keep && c < classes; ++c) {
          p[r * classes + c] = static_cast<T>(std::exp(static_cast<double>(row[c]) - log_weight));
        }
        sum += log_weight - (1 - smoothing) * static_cast<double>(row[labels[r]]);
        if (smoothing > 0) {
          const double all = std::accumulate(row, row + classes, 0.0);
          sum -= smoothing * all / static_cast<double>(classes);
        }
      }
      return sum;
    });
  });
  Tensor y = Tensor::scalar(total / static_cast<double>(samples), logits.dtype());
  return record("cross_entropy", y, {logits},
                [softmax = save(softmax, keep), labels, classes, smoothing](const Tensor& dy, Gradients& d) {
                  d(0, [&] {
                    Tensor dx = Tensor::empty(softmax.shape(), softmax.dtype());
                    with_dtype(dx.dtype(), [&]<class T>() {
                      const T scale = static_cast<T>(dy.item() / static_cast<double>(labels.size()));
                      T* to = dx.mutable_data<T>();
                      const T even = static_cast<T>(smoothing / static_cast<double>(classes));
                      const T certain = static_cast<T>(1 - smoothing);
                      map_elements(softmax().data<T>(), to, dx.numel(),
                                   [=](T p) { return scale * (p - even); });
                      for (std::size_t r = 0; r < labels.size(); ++r) {
                        to[static_cast<Index>(r) * classes + labels[r]] -= scale * certain;
                      }
                    });
                    return dx;
                  });
                });
}

namespace {

// to[j] = scale * sum over the up to four neighbours q of x[i, j] of slope(x[i, j] - q), for one row i; above
// and below are null at the edges.
template <class T, class Slope>
GESSO_SIMD void variation_gradient_row(const T* here, const T* above, const T* below, Index width, T scale,
                                       Slope slope, T* to) {
  if (above && below) {
    for (Index j = 0; j < width; ++j) to[j] = slope(here[j] - above[j]) + slope(here[j] - below[j]);
  } else if (above || below) {
    const T* other = above ? above : below;
    for (Index j = 0; j < width; ++j) to[j] = slope(here[j] - other[j]);
  } else {
    std::fill(to, to + width, T{0});
  }
  for (Index j = 0; j + 1 < width; ++j) to[j] += slope(here[j] - here[j + 1]);
  for (Index j = 1; j < width; ++j) to[j] += slope(here[j] - here[j - 1]);
  for (Index j = 0; j < width; ++j) to[j] *= scale;
}

// Of x as (samples, ..., H, W), each sample's: the result is y, of `samples` numbers.
template <class F, class Slope>
Tensor mean_variation(const Tensor& x, Index samples, const Shape& y_shape, F f, Slope slope) {
  const Index height = x.size(-2), width = x.size(-1);
  const Index all_pictures = x.shape().numel(0, x.rank() - 2),
              pictures = samples > 0 ? all_pictures / samples : 0;
  const Index rows = width == 0 ? 0 : pictures * height;
  const Index rows_a_block = std::max<Index>(1, kElementwiseBlock / std::max<Index>(1, width));
  const auto pairs = static_cast<double>(
      std::max<Index>(1, rows == 0 ? 0 : rows * (width - 1) + pictures * (height - 1) * width));
  Tensor y = Tensor::empty(y_shape, x.dtype());
  with_dtype(x.dtype(), [&]<class T>() {
    for (Index n = 0; n < samples; ++n) {
      const T* from = x.data<T>() + n * rows * width;
      const double total = parallel_sum<double>(rows, rows_a_block, [&](Index begin, Index end) {
        double sum = 0;
        for (Index r = begin; r < end; ++r) {
          const T* here = from + r * width;
          sum += sum_of_differences(here + 1, here, width - 1, f);
          if (r % height + 1 < height) {
            sum += sum_of_differences(here + width, here, width, f);
          }
        }
        return sum;
      });
      y.mutable_data<T>()[n] = static_cast<T>(total / pairs);
    }
  });
  return record("total_variation", y, {x},
                [x = save(x), height, width, samples, rows, rows_a_block, pairs, slope](const Tensor& dy,
                                                                                        Gradients& d) {
                  d(0, [&] {
                    Tensor dx = Tensor::empty(x.shape(), x.dtype());
                    with_dtype(x.dtype(), [&]<class T>() {
                      const T* from = x().template data<T>();
                      T* to = dx.mutable_data<T>();
                      parallel_for(samples * rows, rows_a_block, [&](Index begin, Index end) {
                        for (Index r = begin; r < end; ++r) {
                          const T* here = from + r * width;
                          const Index i = r % height;
                          const T scale = static_cast<T>(static_cast<double>(dy.data<T>()[r / rows]) / pairs);
                          variation_gradient_row(here, i > 0 ? here - width : nullptr,
                                                 i + 1 < height ? here + width : nullptr, width, scale, slope,
                                                 to + r * width);
                        }
                      });
                    });
                    return dx;
                  });
                });
}

}  // namespace

// With f'(d) = 2 d or sign(d), each pair p, q gives dp = f'(p - q) and dq = f'(q - p), over the number of
// pairs.
namespace {

Tensor variation(const Tensor& x, TotalVariation kind, Index samples, const Shape& y_shape) {
  if (kind == TotalVariation::squared) {
    return mean_variation(
        x, samples, y_shape, [](double d) { return d * d; }, [](auto d) { return 2 * d; });
  }
  return mean_variation(
      x, samples, y_shape, [](double d) { return std::abs(d); }, kSign);
}

}  // namespace

Tensor total_variation(const Tensor& x, TotalVariation kind) {
  require_defined(x, "total_variation", "its argument");
  require(x.rank() >= 2, "total_variation: the argument has shape ", x.shape(), "; it must be (..., H, W)");
  return variation(x, kind, 1, {});
}

Tensor total_variation_of_samples(const Tensor& x, TotalVariation kind) {
  require_defined(x, "total_variation_of_samples", "its argument");
  require(x.rank() >= 3, "total_variation_of_samples: the argument has shape ", x.shape(),
          "; it must be (N, ..., H, W)");
  return variation(x, kind, x.size(0), {x.size(0)});
}

}  // namespace gesso
