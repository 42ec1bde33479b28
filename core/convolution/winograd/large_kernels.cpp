#include "gesso/core/convolution/winograd/large_kernels.h"

#include <algorithm>

#include "gesso/core/convolution/frame.h"
#include "gesso/core/convolution/mirror.h"
#include "gesso/core/convolution/winograd/winograd.h"
#include "gesso/core/parallel.h"
#include "gesso/core/simd/clones.h"
#include "gesso/core/tensor.h"

namespace gesso::winograd_convolution::large_kernels {
namespace {

constexpr Index kPart = 3;  // taps of a part of the kernel, in each dimension

// A convolution and the 3 x 3 one that it becomes. Part (a, b) of a kernel has the taps from (3 a, 3 b) on. The parts are
// channels of the smaller side: of copies of x, where E[c, a, b] is what part (a, b) reads of channel c, or of results
// Z[o, a, b], of which y is the sum.
struct Split {
  explicit Split(const ConvolutionShape& s)
      : shape(s),
        parts(divide_up(s.kernel.height, kPart), divide_up(s.kernel.width, kPart)),
        copies_of_x(s.in_channels <= s.out_channels),
        small(s) {
    small.kernel = kPart;
    if (copies_of_x) {
      small.in_channels *= count();
    } else {
      small.out_channels *= count();
      small.out = {s.out.height + kPart * (parts.height - 1), s.out.width + kPart * (parts.width - 1)};
    }
  }

  Index count() const { return parts.height * parts.width; }
  Index x_size() const { return shape.in_channels * shape.in_pixels(); }
  Index y_size() const { return shape.out_channels * shape.out_pixels(); }

  // Of `channels` pictures, part (a, b) moved by sign * (3 a, 3 b).
  Copies copies(Index channels, Index sign) const {
    Copies all{channels, {}};
    for (Index c = 0; c < channels; ++c) {
      for (Index p = 0; p < count(); ++p) {
        all.channels.push_back({c, sign * kPart * (p / parts.width), sign * kPart * (p % parts.width)});
      }
    }
    return all;
  }

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

GESSO_SIMD void add_row(const float* x, Index n, float* y) {
  for (Index i = 0; i < n; ++i) y[i] += x[i];
}

// y[o, i, j] = bias[o] + the sum over parts of Z[o, a, b, i + 3 a, j + 3 b].
void sum_shifted(const Split& split, const float* z, const float* bias, float* y) {
  const ConvolutionShape& s = split.shape;
  const Size2d size = split.small.out;
  // Row by row of all channels, as Z was written: so a thread mostly sums up what it wrote.
  parallel_for(s.out.height * s.out_channels, 16, [&](Index begin, Index end) {
    for (Index task = begin; task < end; ++task) {
      const Index i = task / s.out_channels, o = task % s.out_channels;
      float* to = y + (o * s.out.height + i) * s.out.width;
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
  ConvolutionShape small = split.small;
  Tensor weight = Tensor::empty({small.out_channels, small.in_channels, kPart, kPart});
  float* small_w = weight.mutable_data<float>();
  split.for_each_tap([&](Index at, Index tap) { small_w[at] = tap < 0 ? 0.0f : w[tap]; });
  if (split.copies_of_x) {
    const Copies copies = split.copies(s.in_channels, 1);
    return forward_of(small, &copies, x, small_w, bias, relu, y);
  }
  small.batch = 1;  // so that Z is small
  small.whole_batch = 0;
  Tensor memory = Tensor::empty({small.out_channels * small.out_pixels()});
  float* z = memory.mutable_data<float>();
  for (Index n = 0; n < s.batch; ++n) {
    forward_of(small, nullptr, x + n * split.x_size(), small_w, nullptr, {}, z);
    sum_shifted(split, z, bias, y + n * split.y_size());
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
  const Split split(s);
  // The gradient to Z[o, a, b] is dy at its place, and zeros around it.
  const Copies copies = split.copies_of_x ? split.copies(s.in_channels, 1) : split.copies(s.out_channels, -1);
  Tensor gradient = Tensor::empty({split.small.out_channels * split.small.fan_in()});
  float* small_dw = gradient.mutable_data<float>();
  weight_gradient_of(split.small, s.out, split.copies_of_x ? &copies : nullptr, x,
                     split.copies_of_x ? nullptr : &copies, dy, mask, small_dw);
  split.for_each_tap([&](Index at, Index tap) {
    if (tap >= 0) dw[tap] = small_dw[at];
  });
}

}  // namespace gesso::winograd_convolution::large_kernels
