#include "gesso/core/convolution/convolution.h"

#include <algorithm>
#include <type_traits>

#include "gesso/core/convolution/direct/direct.h"
#include "gesso/core/convolution/im2col.h"
#include "gesso/core/convolution/plain.h"
#include "gesso/core/convolution/winograd/winograd.h"
#include "gesso/core/dtype.h"
#include "gesso/core/error.h"

namespace gesso {
namespace {

// What an algorithm computes, and for which shapes: one signature for all, with relu, mask and every padding
// mode.
template <class T>
struct Algorithm {
  const char* name;
  bool (*can_compute)(const ConvolutionShape&);
  const char* is_for;  // the shapes that it can compute, for people
  void (*forward)(const ConvolutionShape&, const T* x, const T* w, const T* bias, const FusedRelu&, T* y);
  void (*input_gradient)(const ConvolutionShape&, const T* dy, const ReluMask&, const T* w, T* dx);
  void (*weight_gradient)(const ConvolutionShape&, const T* x, const T* dy, const ReluMask&, T* dw);
};

bool all_shapes(const ConvolutionShape&) { return true; }
bool no_shape(const ConvolutionShape&) { return false; }

template <class T>
constexpr Algorithm<T> winograd() {
  const char* const is_for = "float32, stride 1, dilation 1 and one group";
  if constexpr (std::is_same_v<T, float>) {
    using namespace winograd_convolution;
    return {"winograd", can_compute, is_for, forward, input_gradient, weight_gradient};
  } else {
    return {"winograd", no_shape, is_for, nullptr, nullptr, nullptr};
  }
}

// In the order of ConvolutionAlgorithm, from `plain` on.
template <class T>
constexpr Algorithm<T> kAlgorithms[] = {
    {"plain", all_shapes, "all", plain_convolution::forward, plain_convolution::input_gradient,
     plain_convolution::weight_gradient},
    {"im2col", all_shapes, "all", im2col_convolution::forward, im2col_convolution::input_gradient,
     im2col_convolution::weight_gradient},
    {"direct", all_shapes, "all", direct_convolution::forward, direct_convolution::input_gradient,
     direct_convolution::weight_gradient},
    winograd<T>(),
};

template <class T>
const Algorithm<T>& row_of(ConvolutionAlgorithm algorithm) {
  return kAlgorithms<T>[static_cast<int>(algorithm) - static_cast<int>(ConvolutionAlgorithm::plain)];
}

// Whether Winograd's algorithm, for a shape that it can compute, is faster than the others. It needs a
// quarter of the products, but enough channels that they are most of its work, and enough pixels that the
// transform of the weights is little of it; and of large kernels only those that it need not fill up.
bool winograd_is_faster(const ConvolutionShape& s, Index pixels) {
  const auto [fewer, more] = std::minmax(s.in_channels, s.out_channels);
  if (s.kernel == 3) {
    return fewer >= 16 && s.in_channels * s.out_channels <= 1024 * s.batch_to_plan_for() * pixels;
  }
  const bool whole_parts = s.kernel.height % 3 == 0 && s.kernel.width % 3 == 0;
  return whole_parts && more >= 16 && fewer * s.taps() >= 216;
}

// The one place where the algorithm for a shape is chosen, by what was faster when measured with
// benchmarks/layers.cpp. Where Winograd's does not win, the direct convolution does by far, except where it
// reads more weights than pixels: for every tile it goes through all the weights, which no cache holds then,
// and small pictures make small tiles. `terms` is the number of products in each number of the result,
// `pixels` the size of its pictures.
template <class T>
ConvolutionAlgorithm fastest(const ConvolutionShape& s, Index terms, Index pixels) {
  if (winograd<T>().can_compute(s) && winograd_is_faster(s, pixels)) {
    return ConvolutionAlgorithm::winograd;
  }
  constexpr Index cached_weights = 1 << 18;
  const bool many_weights =
      (terms > 2560 && s.out_channels * s.fan_in() > cached_weights) || (terms >= 256 && pixels < 256);
  return many_weights ? ConvolutionAlgorithm::im2col : ConvolutionAlgorithm::direct;
}

thread_local ConvolutionAlgorithm meaning_of_automatic = ConvolutionAlgorithm::automatic;

template <class T>
const Algorithm<T>& choose(ConvolutionAlgorithm wanted, const ConvolutionShape& s, Index terms,
                           Index pixels) {
  if (wanted == ConvolutionAlgorithm::automatic) {
    wanted = meaning_of_automatic;
  }
  if (wanted == ConvolutionAlgorithm::automatic) {
    wanted = fastest<T>(s, terms, pixels);
  }
  const Algorithm<T>& algorithm = row_of<T>(wanted);
  require(algorithm.can_compute(s), "convolution: the algorithm \"", algorithm.name, "\" is for ",
          algorithm.is_for, "; this is ", dtype_of<T>, ", stride ", s.stride, ", dilation ", s.dilation,
          ", groups ", s.groups, "; use ConvolutionAlgorithm::automatic");
  return algorithm;
}

}  // namespace

ConvolutionAlgorithmGuard::ConvolutionAlgorithmGuard(ConvolutionAlgorithm algorithm)
    : before_(meaning_of_automatic) {
  meaning_of_automatic = algorithm;
}

ConvolutionAlgorithmGuard::~ConvolutionAlgorithmGuard() { meaning_of_automatic = before_; }

template <class T>
ConvolutionAlgorithm automatic_algorithm(const ConvolutionShape& s) {
  return fastest<T>(s, s.fan_in(), s.out_pixels());
}

template <class T>
void convolution_forward(const ConvolutionShape& s, const T* x, const T* w, const T* bias, T* y,
                         ConvolutionAlgorithm algorithm, const FusedRelu& relu) {
  choose<T>(algorithm, s, s.fan_in(), s.out_pixels()).forward(s, x, w, bias, relu, y);
}

template <class T>
void convolution_input_gradient(const ConvolutionShape& s, const T* dy, const T* w, T* dx,
                                ConvolutionAlgorithm algorithm, const ReluMask& mask) {
  choose<T>(algorithm, s, s.group_out() * s.taps(), s.in_pixels()).input_gradient(s, dy, mask, w, dx);
}

template <class T>
void convolution_weight_gradient(const ConvolutionShape& s, const T* x, const T* dy, T* dw,
                                 ConvolutionAlgorithm algorithm, const ReluMask& mask) {
  // Here the products of all pixels are added up; their number costs the direct convolution nothing.
  const Index terms = std::min<Index>(s.fan_in(), 2560);
  choose<T>(algorithm, s, terms, s.out_pixels()).weight_gradient(s, x, dy, mask, dw);
}

template ConvolutionAlgorithm automatic_algorithm<float>(const ConvolutionShape&);
template ConvolutionAlgorithm automatic_algorithm<double>(const ConvolutionShape&);
template void convolution_forward(const ConvolutionShape&, const float*, const float*, const float*, float*,
                                  ConvolutionAlgorithm, const FusedRelu&);
template void convolution_forward(const ConvolutionShape&, const double*, const double*, const double*,
                                  double*, ConvolutionAlgorithm, const FusedRelu&);
template void convolution_input_gradient(const ConvolutionShape&, const float*, const float*, float*,
                                         ConvolutionAlgorithm, const ReluMask&);
template void convolution_input_gradient(const ConvolutionShape&, const double*, const double*, double*,
                                         ConvolutionAlgorithm, const ReluMask&);
template void convolution_weight_gradient(const ConvolutionShape&, const float*, const float*, float*,
                                          ConvolutionAlgorithm, const ReluMask&);
template void convolution_weight_gradient(const ConvolutionShape&, const double*, const double*, double*,
                                          ConvolutionAlgorithm, const ReluMask&);

}  // namespace gesso
