#include "gesso/core/convolution/mirror.h"

#include <algorithm>
#include <utility>

#include "gesso/core/dtype.h"

namespace gesso {

ConvolutionShape mirrored_shape(const ConvolutionShape& s) {
  ConvolutionShape m = s;
  std::swap(m.in_channels, m.out_channels);
  std::swap(m.in, m.out);
  m.padding = {s.dilation.height * (s.kernel.height - 1) - s.padding.height,
               s.dilation.width * (s.kernel.width - 1) - s.padding.width};
  m.padding_mode = PaddingMode::zeros;
  return m;
}

template <class T>
Tensor mirrored_weight(const ConvolutionShape& s, const T* w) {
  Tensor mirrored =
      Tensor::empty({s.in_channels, s.group_out(), s.kernel.height, s.kernel.width}, dtype_of<T>);
  T* to = mirrored.mutable_data<T>();
  for (Index g = 0; g < s.groups; ++g) {
    for (Index c = 0; c < s.group_in(); ++c) {
      for (Index o = 0; o < s.group_out(); ++o) {
        const T* kernel = w + ((g * s.group_out() + o) * s.group_in() + c) * s.taps();
        to = std::reverse_copy(kernel, kernel + s.taps(), to);
      }
    }
  }
  return mirrored;
}

template Tensor mirrored_weight(const ConvolutionShape&, const float*);
template Tensor mirrored_weight(const ConvolutionShape&, const double*);

}  // namespace gesso
