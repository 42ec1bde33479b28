#include "gesso/core/convolution/plain.h"

#include <algorithm>

#include "gesso/core/convolution/bias.h"

namespace gesso::plain_convolution {
namespace {

// Calls f(y index, x index, w index) for every product in the formula that does not read a zero of the
// padding.
template <class F>
void for_each_product(const ConvolutionShape& s, F f) {
  for (Index n = 0; n < s.batch; ++n) {
    for (Index o = 0; o < s.out_channels; ++o) {
      const Index first = o / s.group_out() * s.group_in();
      for (Index i = 0; i < s.out.height; ++i) {
        for (Index j = 0; j < s.out.width; ++j) {
          for (Index c = 0; c < s.group_in(); ++c) {
            for (Index u = 0; u < s.kernel.height; ++u) {
              const Index k = padding_source(s.stride.height * i - s.padding.height + s.dilation.height * u,
                                             s.in.height, s.padding_mode);
              for (Index v = 0; k >= 0 && v < s.kernel.width; ++v) {
                const Index l = padding_source(s.stride.width * j - s.padding.width + s.dilation.width * v,
                                               s.in.width, s.padding_mode);
                if (l >= 0) {
                  f(((n * s.out_channels + o) * s.out.height + i) * s.out.width + j,
                    ((n * s.in_channels + first + c) * s.in.height + k) * s.in.width + l,
                    ((o * s.group_in() + c) * s.kernel.height + u) * s.kernel.width + v);
                }
              }
            }
          }
        }
      }
    }
  }
}

}  // namespace

template <class T>
void forward(const ConvolutionShape& s, const T* x, const T* w, const T* bias, const FusedRelu& relu, T* y) {
  std::fill_n(y, s.batch * s.out_channels * s.out_pixels(), T{0});
  for_each_product(s, [&](Index at_y, Index at_x, Index at_w) { y[at_y] += w[at_w] * x[at_x]; });
  if (bias != nullptr) {
    add_bias(s.batch, s.out_channels, s.out_pixels(), bias, y);
  }
  apply_relu(relu, s, y);
}

template <class T>
void input_gradient(const ConvolutionShape& s, const T* dy, const ReluMask& mask, const T* w, T* dx) {
  const MaskedGradient<T> dz(mask, dy);
  std::fill_n(dx, s.batch * s.in_channels * s.in_pixels(), T{0});
  for_each_product(s, [&](Index at_y, Index at_x, Index at_w) { dx[at_x] += w[at_w] * dz[at_y]; });
}

template <class T>
void weight_gradient(const ConvolutionShape& s, const T* x, const T* dy, const ReluMask& mask, T* dw) {
  const MaskedGradient<T> dz(mask, dy);
  std::fill_n(dw, s.out_channels * s.fan_in(), T{0});
  for_each_product(s, [&](Index at_y, Index at_x, Index at_w) { dw[at_w] += x[at_x] * dz[at_y]; });
}

template void forward(const ConvolutionShape&, const float*, const float*, const float*, const FusedRelu&,
                      float*);
template void forward(const ConvolutionShape&, const double*, const double*, const double*, const FusedRelu&,
                      double*);
template void input_gradient(const ConvolutionShape&, const float*, const ReluMask&, const float*, float*);
template void input_gradient(const ConvolutionShape&, const double*, const ReluMask&, const double*, double*);
template void weight_gradient(const ConvolutionShape&, const float*, const float*, const ReluMask&, float*);
template void weight_gradient(const ConvolutionShape&, const double*, const double*, const ReluMask&,
                              double*);

}  // namespace gesso::plain_convolution
