#include "gesso/core/convolution/convolution.h"

#include <algorithm>
#include <type_traits>

#include "gesso/core/convolution/direct/direct.h"
#include "gesso/core/convolution/frame.h"
#include "gesso/core/convolution/im2col.h"
#include "gesso/core/convolution/plain.h"
#include "gesso/core/convolution/relu_mask.h"
#include "gesso/core/convolution/winograd/large_kernels.h"
#include "gesso/core/convolution/winograd/winograd.h"
#include "gesso/core/error.h"
#include "gesso/core/tensor.h"

namespace gesso {
namespace {

thread_local ConvolutionAlgorithm meaning_of_automatic = ConvolutionAlgorithm::automatic;

// The one place where the algorithm for a shape is chosen, by what was faster when measured with
// benchmarks/layers.cpp. Winograd's needs a quarter of the products, but channels enough that they are
// most of its work, and pixels enough that the transform of the weights is little of it; so does the split
// algorithm, for kernels that it need not fill up. Of the others the direct convolution wins by far, except
// where it reads more weights than pixels: for every tile it goes through all weights, which then no cache
// holds, and little pictures make little tiles. `terms` is the number of products in each number of the
// result, `pixels` the size of its pictures.
template <class T>
ConvolutionAlgorithm choose(ConvolutionAlgorithm wanted, const ConvolutionShape& s, Index terms,
                            Index pixels) {
  if (wanted == ConvolutionAlgorithm::automatic) {
    wanted = meaning_of_automatic;
  }
  const bool can_winograd = std::is_same_v<T, float> && winograd_convolution::can_compute(s);
  if (wanted == ConvolutionAlgorithm::winograd) {
    require(can_winograd,
            "convolution: Winograd's algorithm is for float32, 3x3 kernels, stride 1, dilation 1 and one "
            "group; this is ",
            dtype_of<T>, ", kernel ", s.kernel, ", stride ", s.stride, ", dilation ", s.dilation, ", groups ",
            s.groups, "; use ConvolutionAlgorithm::automatic");
  }
  const bool can_split = std::is_same_v<T, float> && split_convolution::can_compute(s);
  if (wanted == ConvolutionAlgorithm::split) {
    require(can_split,
            "convolution: the split algorithm is for float32, stride 1, dilation 1 and one group; this is ",
            dtype_of<T>, ", stride ", s.stride, ", dilation ", s.dilation, ", groups ", s.groups,
            "; use ConvolutionAlgorithm::automatic");
  }
  if (wanted != ConvolutionAlgorithm::automatic) {
    return wanted;
  }
  const bool few_weights = s.in_channels * s.out_channels <= 1024 * s.batch * pixels;
  if (can_winograd && std::min(s.in_channels, s.out_channels) >= 16 && few_weights) {
    return ConvolutionAlgorithm::winograd;
  }
  const auto [fewer, more] = std::minmax(s.in_channels, s.out_channels);
  const bool whole_parts = s.kernel.height % 3 == 0 && s.kernel.width % 3 == 0 && s.taps() > 9;
  if (can_split && whole_parts && more >= 16 && fewer * s.taps() >= 216) {
    return ConvolutionAlgorithm::split;
  }
  constexpr Index cached_weights = 1 << 18;
  const bool many_weights =
      (terms > 2560 && s.out_channels * s.fan_in() > cached_weights) || (terms >= 256 && pixels < 256);
  return many_weights ? ConvolutionAlgorithm::im2col : ConvolutionAlgorithm::direct;
}

ReluMaskShape result_shape(const ConvolutionShape& s) { return {s.batch, s.out_channels, s.out}; }

// dy with zeros where the mask is not set.
template <class T>
Tensor masked(const ConvolutionShape& s, const T* dy, const std::uint8_t* mask) {
  Tensor dz = Tensor::empty({s.batch, s.out_channels, s.out.height, s.out.width}, dtype_of<T>);
  apply_relu_mask(result_shape(s), dy, mask, dz.mutable_data<T>());
  return dz;
}

}  // namespace

ConvolutionAlgorithmGuard::ConvolutionAlgorithmGuard(ConvolutionAlgorithm algorithm)
    : before_(meaning_of_automatic) {
  meaning_of_automatic = algorithm;
}

ConvolutionAlgorithmGuard::~ConvolutionAlgorithmGuard() { meaning_of_automatic = before_; }

template <class T>
void convolution_forward(const ConvolutionShape& shape, const T* x, const T* w, const T* bias, T* y,
                         ConvolutionAlgorithm algorithm, const ConvolutionRelu& relu) {
  algorithm = choose<T>(algorithm, shape, shape.fan_in(), shape.out_pixels());
  if constexpr (std::is_same_v<T, float>) {
    if (algorithm == ConvolutionAlgorithm::winograd) {
      return winograd_convolution::forward(shape, x, w, bias, relu.on, relu.mask, y);
    }
  }
  if (algorithm == ConvolutionAlgorithm::plain) {
    plain_convolution::forward(shape, x, w, bias, y);
  } else if (algorithm == ConvolutionAlgorithm::im2col) {
    im2col_convolution::forward(shape, x, w, bias, y);
  } else if (algorithm == ConvolutionAlgorithm::direct) {
    direct_convolution::forward(shape, x, w, bias, y);
  } else if constexpr (std::is_same_v<T, float>) {
    split_convolution::forward(shape, x, w, bias, y);
  }
  if (relu.on) {
    relu_with_mask(result_shape(shape), y, relu.mask);
  }
}

template <class T>
void convolution_input_gradient(const ConvolutionShape& shape, const T* dy, const T* w, T* dx,
                                ConvolutionAlgorithm algorithm, const std::uint8_t* mask) {
  algorithm = choose<T>(algorithm, shape, shape.group_out() * shape.taps(), shape.in_pixels());
  const bool zeros = shape.padding_mode == PaddingMode::zeros;
  if (mask != nullptr && (algorithm != ConvolutionAlgorithm::winograd || !zeros)) {
    const Tensor dz = masked(shape, dy, mask);
    return convolution_input_gradient(shape, dz.data<T>(), w, dx, algorithm);
  }
  if (algorithm == ConvolutionAlgorithm::plain) {
    return plain_convolution::input_gradient(shape, dy, w, dx);
  }
  // The fast ones compute what reaches x itself; what reaches it by way of the padding is added to that.
  ConvolutionShape inside = shape;
  inside.padding_mode = PaddingMode::zeros;
  if (algorithm == ConvolutionAlgorithm::im2col) {
    im2col_convolution::input_gradient(inside, dy, w, dx);
  } else if (algorithm == ConvolutionAlgorithm::direct) {
    direct_convolution::input_gradient(inside, dy, w, dx);
  } else if constexpr (std::is_same_v<T, float>) {
    if (algorithm == ConvolutionAlgorithm::winograd) {
      winograd_convolution::input_gradient(inside, dy, mask, w, dx);
    } else {
      split_convolution::input_gradient(inside, dy, w, dx);
    }
  }
  add_frame_gradient(shape, dy, w, dx);
}

template <class T>
void convolution_weight_gradient(const ConvolutionShape& shape, const T* x, const T* dy, T* dw,
                                 ConvolutionAlgorithm algorithm, const std::uint8_t* mask) {
  // Here the products of all pixels are added up; their number costs the direct convolution nothing.
  const Index terms = std::min<Index>(shape.fan_in(), 2560);
  algorithm = choose<T>(algorithm, shape, terms, shape.out_pixels());
  if constexpr (std::is_same_v<T, float>) {
    if (algorithm == ConvolutionAlgorithm::winograd) {
      return winograd_convolution::weight_gradient(shape, x, dy, mask, dw);
    }
  }
  if (mask != nullptr) {
    const Tensor dz = masked(shape, dy, mask);
    return convolution_weight_gradient(shape, x, dz.data<T>(), dw, algorithm);
  }
  if (algorithm == ConvolutionAlgorithm::plain) {
    plain_convolution::weight_gradient(shape, x, dy, dw);
  } else if (algorithm == ConvolutionAlgorithm::im2col) {
    im2col_convolution::weight_gradient(shape, x, dy, dw);
  } else if (algorithm == ConvolutionAlgorithm::direct) {
    direct_convolution::weight_gradient(shape, x, dy, dw);
  } else if constexpr (std::is_same_v<T, float>) {
    split_convolution::weight_gradient(shape, x, dy, dw);
  }
}

template void convolution_forward(const ConvolutionShape&, const float*, const float*, const float*, float*,
                                  ConvolutionAlgorithm, const ConvolutionRelu&);
template void convolution_forward(const ConvolutionShape&, const double*, const double*, const double*,
                                  double*, ConvolutionAlgorithm, const ConvolutionRelu&);
template void convolution_input_gradient(const ConvolutionShape&, const float*, const float*, float*,
                                         ConvolutionAlgorithm, const std::uint8_t*);
template void convolution_input_gradient(const ConvolutionShape&, const double*, const double*, double*,
                                         ConvolutionAlgorithm, const std::uint8_t*);
template void convolution_weight_gradient(const ConvolutionShape&, const float*, const float*, float*,
                                          ConvolutionAlgorithm, const std::uint8_t*);
template void convolution_weight_gradient(const ConvolutionShape&, const double*, const double*, double*,
                                          ConvolutionAlgorithm, const std::uint8_t*);

}  // namespace gesso
