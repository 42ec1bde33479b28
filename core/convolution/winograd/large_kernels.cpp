#include "gesso/core/convolution/winograd/large_kernels.h"

#include <algorithm>

#include "gesso/core/convolution/frame.h"
#include "gesso/core/convolution/mirror.h"
#include "gesso/core/convolution/window.h"
#include "gesso/core/convolution/winograd/winograd.h"
#include "gesso/core/kernels/elementwise.h"
#include "gesso/core/parallel.h"
#include "gesso/core/simd/clones.h"
#include "gesso/core/tensor.h"

namespace gesso::winograd_convolution::large_kernels {
namespace {

constexpr Index kPart = 3;  // taps of a part of the kernel, in each dimension

// A convolution and the 3 x 3 one that it becomes, of one sample. Part (a, b) of a kernel has the taps from
// (3 a, 3 b) on. The parts are channels of the smaller side: of copies of x, where E[c, a, b] is what part
// (a, b) reads of channel c, or of results Z[o, a, b], of which y is the sum.
struct Split {
  explicit Split(const ConvolutionShape& s)
      : shape(s),
        parts(divide_up(s.kernel.height, kPart), divide_up(s.kernel.width, kPart)),
        copies_of_x(s.in_channels <= s.out_channels),
        small(s) {
    small.batch = 1;
    small.whole_batch = 0;
    small.kernel = kPart;
    if (copies_of_x) {
      small.in_channels *= count();
      small.in = {s.out.height + kPart - 1, s.out.width + kPart - 1};
      small.padding = 0;
      small.padding_mode = PaddingMode::zeros;
    } else {
      small.out_channels *= count();
      small.out = {s.out.height + kPart * (parts.height - 1), s.out.width + kPart * (parts.width - 1)};
    }
  }

  Index count() const { return parts.height * parts.width; }
  Index x_size() const { return shape.in_channels * shape.in_pixels(); }
  Index y_size() const { return shape.out_channels * shape.out_pixels(); }

  // Calls f(index of a tap in the weight of the small convolution, index in w, or -1 for a tap beyond it).
  template <class F>
  void for_each_tap(F f) const {
    Index at = 0;
    const auto part = [&](Index o, Index c, Index a, Index b) {
      for (Index u = kPart * a; u < kPart * (a + 1); ++u) {
        for (Index v = kPart * b; v < kPart * (b + 1); ++v) {
          const bool inside = u < shape.kernel.height && v < shape.kernel.width;
          f(at++, inside ? ((o * shape.in_channels + c) * shape.kernel.height + u) * shape.kernel.width + v
                         : Index{-1});
        }
      }
    };
    for (Index o = 0; o < shape.out_channels; ++o) {
      if (copies_of_x) {
        for (Index c = 0; c < shape.in_channels; ++c) {
          for (Index p = 0; p < count(); ++p) part(o, c, p / parts.width, p % parts.width);
        }
      } else {
        for (Index p = 0; p < count(); ++p) {
          for (Index c = 0; c < shape.in_channels; ++c) {
            part(o, c, p / parts.width, p % parts.width);
          }
        }
      }
    }
  }

  ConvolutionShape shape;
  Size2d parts;
  bool copies_of_x;
  ConvolutionShape small;
};

// copies[c, a, b] = pictures of `size` whose pixel (0, 0) is pixel (3 a, 3 b) sign - padding of channel c.
void copy_shifted(const Split& split, const float* source, Index channels, WindowAxis rows,
                  WindowAxis columns, Index sign, Size2d size, float* copies) {
  Window window{rows, columns, 1};
  window.height = size.height;
  window.pitch = size.width;
  parallel_for(channels * split.count(), 1, [&](Index task, Index) {
    const Index part = task % split.count();
    fill_window(window, source + task / split.count() * rows.source * columns.source,
                sign * kPart * (part / split.parts.width), sign * kPart * (part % split.parts.width),
                copies + task * window.size());
  });
}

// What the parts read of x.
void copy_x(const Split& split, const float* x, float* copies) {
  const ConvolutionShape& s = split.shape;
  copy_shifted(split, x, s.in_channels, forward_rows(s), forward_columns(s), 1, split.small.in, copies);
}

// The gradient to Z[o, a, b]: dy at its place, and zeros around it.
void copy_dy(const Split& split, const float* dy, float* copies) {
  const ConvolutionShape& s = split.shape;
  copy_shifted(split, dy, s.out_channels, WindowAxis{s.out.height, 1, 0, 1, 0},
               WindowAxis{s.out.width, 1, 0, 1, 0}, -1, split.small.out, copies);
}

GESSO_SIMD void add_row(const float* x, Index n, float* y) {
  for (Index i = 0; i < n; ++i) y[i] += x[i];
}

// y[o, i, j] = bias[o] + the sum over parts of Z[o, a, b, i + 3 a, j + 3 b].
void sum_shifted(const Split& split, const float* z, const float* bias, float* y) {
  const ConvolutionShape& s = split.shape;
  const Size2d size = split.small.out;
  parallel_for(s.out_channels * s.out.height, 16, [&](Index begin, Index end) {
    for (Index row = begin; row < end; ++row) {
      const Index o = row / s.out.height, i = row % s.out.height;
      float* to = y + row * s.out.width;
      std::fill_n(to, s.out.width, bias == nullptr ? 0.0f : bias[o]);
      for (Index p = 0; p < split.count(); ++p) {
        const Index a = p / split.parts.width, b = p % split.parts.width;
        add_row(z + ((o * split.count() + p) * size.height + i + kPart * a) * size.width + kPart * b,
                s.out.width, to);
      }
    }
  });
}

}  // namespace

Index rows_beyond_result(const ConvolutionShape& s) {
  const Split split(s);
  return split.copies_of_x ? 0 : split.small.out.height - s.out.height;
}

void forward(const ConvolutionShape& s, const float* x, const float* w, const float* bias,
             const FusedRelu& relu, float* y) {
  const Split split(s);
  const ConvolutionShape& small = split.small;
  Tensor weight = Tensor::empty({small.out_channels, small.in_channels, kPart, kPart});
  float* small_w = weight.mutable_data<float>();
  split.for_each_tap([&](Index at, Index tap) { small_w[at] = tap < 0 ? 0.0f : w[tap]; });
  Tensor memory = Tensor::empty(
      {split.copies_of_x ? small.in_channels * small.in_pixels() : small.out_channels * small.out_pixels()});
  float* parts = memory.mutable_data<float>();
  for (Index n = 0; n < s.batch; ++n, x += split.x_size()) {
    float* const y_of_sample = y + n * split.y_size();
    if (split.copies_of_x) {
      copy_x(split, x, parts);
      winograd_convolution::forward(small, parts, small_w, bias, {}, y_of_sample);
    } else {
      winograd_convolution::forward(small, x, small_w, nullptr, {}, parts);
      sum_shifted(split, parts, bias, y_of_sample);
    }
  }
  apply_relu(relu, s, y);
}

void input_gradient(const ConvolutionShape& s, const float* dy, const ReluMask& mask, const float* w,
                    float* dx) {
  const MaskedGradient<float> dz(mask, dy);
  forward(mirrored_shape(s), dz.data(), mirrored_weight(s, w).data<float>(), nullptr, {}, dx);
  add_frame_gradient(s, dz.data(), w, dx);
}

void weight_gradient(const ConvolutionShape& s, const float* x, const float* dy, const ReluMask& mask,
                     float* dw) {
  const MaskedGradient<float> dz(mask, dy);
  const Split split(s);
  const ConvolutionShape& small = split.small;
  const Index size = small.out_channels * small.fan_in();
  Tensor memory = Tensor::empty(
      {split.copies_of_x ? small.in_channels * small.in_pixels() : small.out_channels * small.out_pixels()});
  Tensor sum = Tensor::zeros({size}), of_sample = Tensor::empty({size});
  float *parts = memory.mutable_data<float>(), *total = sum.mutable_data<float>();
  float* gradient = of_sample.mutable_data<float>();
  for (Index n = 0; n < s.batch; ++n, x += split.x_size()) {
    const float* const dz_of_sample = dz.data() + n * split.y_size();
    if (split.copies_of_x) {
      copy_x(split, x, parts);
      winograd_convolution::weight_gradient(small, parts, dz_of_sample, {}, gradient);
    } else {
      copy_dy(split, dz_of_sample, parts);
      winograd_convolution::weight_gradient(small, x, parts, {}, gradient);
    }
    zip_elements(total, gradient, total, size, [](float a, float b) { return a + b; });
  }
  split.for_each_tap([&](Index at, Index tap) {
    if (tap >= 0) dw[tap] = total[at];
  });
}

}  // namespace gesso::winograd_convolution::large_kernels
