#include "gesso/core/pictures/resize.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "gesso/core/parallel.h"
#include "gesso/core/simd/clones.h"

namespace gesso {
namespace {

// Keys 1981, equation 15: the cubic convolution kernel with a = -1/2.
double cubic(double t) {
  t = std::fabs(t);
  if (t < 1) {
    return (1.5 * t - 2.5) * t * t + 1;
  }
  return t < 2 ? ((-0.5 * t + 2.5) * t - 4) * t + 2 : 0;
}

// output[o] = sum over k < taps of weight[o * taps + k] * input[first[o] + k]
template <class T>
struct Filter {
  Index taps = 0;
  std::vector<Index> first;
  std::vector<T> weight;
};

template <class T>
Filter<T> make_filter(Index in, Index out) {
  const double scale = static_cast<double>(in) / static_cast<double>(out);
  const double stretch = std::max(scale, 1.0);  // of the kernel, which spans -2 to 2
  Filter<T> filter;
  filter.taps = std::min(in, static_cast<Index>(std::ceil(4 * stretch)) + 1);
  filter.first.resize(out);
  filter.weight.resize(out * filter.taps);
  std::vector<double> weight(filter.taps);
  for (Index o = 0; o < out; ++o) {
    const double centre = (static_cast<double>(o) + 0.5) * scale - 0.5;
    const auto lowest = static_cast<Index>(std::ceil(centre - 2 * stretch));
    const Index first = std::clamp<Index>(lowest, 0, in - filter.taps);
    double sum = 0;
    for (Index k = 0; k < filter.taps; ++k) {
      weight[k] = cubic((static_cast<double>(first + k) - centre) / stretch);
      sum += weight[k];
    }
    filter.first[o] = first;
    for (Index k = 0; k < filter.taps; ++k) {
      filter.weight[o * filter.taps + k] = static_cast<T>(weight[k] / sum);
    }
  }
  return filter;
}

constexpr Index kRowBlock = 16;  // output rows of one parallel block; also the lanes of resize_columns

// out[x] = sum over k of weight[k] * in[k * stride + x] for 0 <= x < n
template <class T>
GESSO_SIMD void weighted_rows(const T* in, Index stride, const T* weight, Index taps, T* out, Index n) {
  for (Index x = 0; x < n; ++x) {
    out[x] = weight[0] * in[x];
  }
  for (Index k = 1; k < taps; ++k) {
    const T* row = in + k * stride;
    const T w = weight[k];
    for (Index x = 0; x < n; ++x) {
      out[x] += w * row[x];
    }
  }
}

// (planes, rows of H, W) to (planes, height, W): rows from `first` on of the filter's result, of rows from `first_in` on.
template <class T>
void resize_rows(const Filter<T>& filter, const T* in, Index planes, Index H, Index first_in, Index W, T* out,
                 Index first, Index height) {
  parallel_for(planes * height, kRowBlock, [&](Index begin, Index end) {
    for (Index row = begin; row < end; ++row) {
      const Index plane = row / height, y = first + row % height;
      weighted_rows(in + (plane * H + filter.first[y] - first_in) * W, W, &filter.weight[y * filter.taps],
                    filter.taps, out + row * W, W);
    }
  });
}

template <class T>
void resize_rows(const T* in, Index planes, Index H, Index W, T* out, Index height) {
  resize_rows(make_filter<T>(H, height), in, planes, H, 0, W, out, 0, height);
}

// out[o][lane] = sum over k of weight[o][k] * in[first[o] + k][lane]: one row's filter on kRowBlock rows at
// once, their pixels side by side.
template <class T>
GESSO_SIMD void weighted_lanes(const T* in, const Index* first, const T* weight, Index taps, Index out_count,
                               T* out) {
  for (Index o = 0; o < out_count; ++o) {
    T sum[kRowBlock] = {};
    const T* column = in + first[o] * kRowBlock;
    for (Index k = 0; k < taps; ++k) {
      const T w = weight[o * taps + k];
      for (Index lane = 0; lane < kRowBlock; ++lane) {
        sum[lane] += w * column[k * kRowBlock + lane];
      }
    }
    std::copy_n(sum, kRowBlock, out + o * kRowBlock);
  }
}

// (rows, W) to (rows, width)
template <class T>
void resize_columns(const Filter<T>& filter, const T* in, Index rows, Index W, T* out, Index width) {
  parallel_for(rows, kRowBlock, [&](Index begin, Index end) {
    std::vector<T> from(W * kRowBlock), to(width * kRowBlock);
    for (Index row = begin; row < end; ++row) {
      for (Index x = 0; x < W; ++x) {
        from[x * kRowBlock + row - begin] = in[row * W + x];
      }
    }
    weighted_lanes(from.data(), filter.first.data(), filter.weight.data(), filter.taps, width, to.data());
    for (Index row = begin; row < end; ++row) {
      for (Index x = 0; x < width; ++x) {
        out[row * width + x] = to[x * kRowBlock + row - begin];
      }
    }
  });
}

template <class T>
void resize_columns(const T* in, Index rows, Index W, T* out, Index width) {
  resize_columns(make_filter<T>(W, width), in, rows, W, out, width);
}

// Clamps each plane of `out` to the range of the same plane of `in`. NaN stays NaN.
template <class T>
void clamp_to_range(const T* in, Index planes, Index in_plane, T* out, Index out_plane) {
  parallel_for(planes, 1, [&](Index begin, Index end) {
    for (Index p = begin; p < end; ++p) {
      T low = std::numeric_limits<T>::infinity(), high = -low;
      for (const T* v = in + p * in_plane; v != in + (p + 1) * in_plane; ++v) {
        low = *v < low ? *v : low;
        high = *v > high ? *v : high;
      }
      for (T* v = out + p * out_plane; v != out + (p + 1) * out_plane; ++v) {
        *v = *v < low ? low : *v > high ? high : *v;
      }
    }
  });
}

void require_picture(const Tensor& x, const char* operation) {
  require_defined(x, operation, "x");
  require(x.rank() == 4 && x.size(2) >= 1 && x.size(3) >= 1, operation, ": x has shape ", x.shape(),
          "; it must be (N, C, H, W) with at least one pixel");
  require_no_grad(
      x, operation,
      "slice() for a part of a picture and upsample_bilinear2d() or avg_pool2d() for another size");
}

}  // namespace

Tensor resize_picture(const Tensor& x, Index height, Index width) {
  require_picture(x, "resize_picture");
  require(height >= 1 && width >= 1, "resize_picture: the new size ", height, " x ", width,
          " must be at least 1 x 1");
  const Index N = x.size(0), C = x.size(1), H = x.size(2), W = x.size(3), planes = N * C;
  Tensor result = Tensor::empty({N, C, height, width}, x.dtype());
  with_dtype(x.dtype(), [&]<class T>() {
    const T* in = x.data<T>();
    T* out = result.mutable_data<T>("resize_picture");
    if (H == height && W == width) {
      std::copy_n(in, x.numel(), out);
      return;
    }
    if (W == width) {
      resize_rows(in, planes, H, W, out, height);
    } else if (H == height) {
      resize_columns(in, planes * H, W, out, width);
    } else {
      Tensor between = Tensor::empty({N, C, height, W}, x.dtype());
      resize_rows(in, planes, H, W, between.mutable_data<T>(), height);
      resize_columns(between.data<T>(), planes * height, W, out, width);
    }
    clamp_to_range(in, planes, H * W, out, height * width);
  });
  return result;
}

struct ResizeOfRows::Filters {
  Filter<float> rows, columns;
};

ResizeOfRows::ResizeOfRows(Size2d from, Size2d to) : from_(from), to_(to) {
  require(from.height >= 1 && from.width >= 1 && to.height >= 1 && to.width >= 1, "resize of rows: from ",
          from, " to ", to, "; sizes must be at least 1 x 1");
  filters_ = std::make_unique<Filters>(
      Filters{make_filter<float>(from.height, to.height), make_filter<float>(from.width, to.width)});
}

ResizeOfRows::~ResizeOfRows() = default;

ResizeOfRows::Rows ResizeOfRows::rows_for(const Rows& wanted) const {
  if (from_.height == to_.height) {
    return wanted;
  }
  const Filter<float>& filter = filters_->rows;
  return {filter.first[wanted.begin], filter.first[wanted.end - 1] + filter.taps};
}

Tensor ResizeOfRows::resized(const Tensor& x, const Rows& wanted) const {
  const Index N = x.size(0), C = x.size(1), height = wanted.end - wanted.begin;
  Tensor rows = x;
  if (from_.height != to_.height) {
    rows = Tensor::empty({N, C, height, from_.width});
    resize_rows(filters_->rows, x.data<float>(), N * C, x.size(2), rows_for(wanted).begin, from_.width,
                rows.mutable_data<float>(), wanted.begin, height);
  }
  if (from_.width == to_.width) {
    return rows;
  }
  Tensor result = Tensor::empty({N, C, height, to_.width});
  resize_columns(filters_->columns, rows.data<float>(), N * C * height, from_.width,
                 result.mutable_data<float>(), to_.width);
  return result;
}

Tensor resize_short_side(const Tensor& x, Index size) {
  require_picture(x, "resize_short_side");
  require(size >= 1, "resize_short_side: size is ", size, "; it must be at least 1");
  const Index H = x.size(2), W = x.size(3), shorter = std::min(H, W);
  const auto scaled = [&](Index side) {
    return static_cast<Index>(
        std::llround(static_cast<double>(side) * static_cast<double>(size) / static_cast<double>(shorter)));
  };
  // 1 x 5000 pixels at a short side of 256 would be 328 million.
  require(static_cast<double>(scaled(H)) * static_cast<double>(scaled(W)) <= max_resized_pixels,
          "resize_short_side: a picture of ", W, " x ", H, " with a short side of ", size, " would have ",
          scaled(W), " x ", scaled(H), " pixels, more than ", max_resized_pixels,
          "; it is too narrow: cut it first");
  return resize_picture(x, scaled(H), scaled(W));
}

Tensor crop(const Tensor& x, Index top, Index left, Index height, Index width) {
  require_picture(x, "crop");
  const Index N = x.size(0), C = x.size(1), H = x.size(2), W = x.size(3);
  require(height >= 1 && width >= 1 && top >= 0 && left >= 0 && top <= H - height && left <= W - width,
          "crop: ", height, " x ", width, " pixels at row ", top, ", column ", left, " are not within shape ",
          x.shape());
  Tensor result = Tensor::empty({N, C, height, width}, x.dtype());
  with_dtype(x.dtype(), [&]<class T>() {
    const T* in = x.data<T>();
    T* out = result.mutable_data<T>("crop");
    for (Index row = 0; row < N * C * height; ++row) {
      const Index plane = row / height, y = top + row % height;
      std::copy_n(in + (plane * H + y) * W + left, width, out + row * width);
    }
  });
  return result;
}

Tensor center_crop(const Tensor& x, Index height, Index width) {
  require_picture(x, "center_crop");
  const Index H = x.size(2), W = x.size(3);
  require(height >= 1 && width >= 1 && height <= H && width <= W, "center_crop: ", height, " x ", width,
          " pixels do not fit in shape ", x.shape(), "; resize it first");
  return crop(x, (H - height) / 2, (W - width) / 2, height, width);
}

}  // namespace gesso
