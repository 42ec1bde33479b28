// All that a convolution computes, from numbers that depend on its shape alone: to compare algorithms.
#pragma once

#include <algorithm>
#include <cmath>

#include "gesso/core/convolution/convolution.h"
#include "gesso/core/convolution/relu_mask.h"
#include "gesso/core/parallel.h"
#include "support.h"

namespace gesso::testing {

struct ConvolutionResults {
  Tensor y, y_without_bias, y_relu, dx, dw, dx_masked, dw_masked;

  template <class F>
  static void for_each_pair(const ConvolutionResults& a, const ConvolutionResults& b, F f) {
    f("y", a.y, b.y);
    f("y without bias", a.y_without_bias, b.y_without_bias);
    f("y with relu", a.y_relu, b.y_relu);
    f("dx", a.dx, b.dx);
    f("dw", a.dw, b.dw);
    f("dx with mask", a.dx_masked, b.dx_masked);
    f("dw with mask", a.dw_masked, b.dw_masked);
  }
};

/// Normal numbers, the same for float32 and float64 up to rounding.
template <class T>
Tensor normal_numbers(const Shape& shape, std::uint64_t seed) {
  Generator rng(seed);
  return Tensor::randn(shape, rng).to(dtype_of<T>);
}

template <class T>
ConvolutionResults convolution_results(const ConvolutionShape& s, ConvolutionAlgorithm algorithm) {
  const Tensor x = normal_numbers<T>({s.batch, s.in_channels, s.in.height, s.in.width}, 1);
  const Tensor w = normal_numbers<T>({s.out_channels, s.group_in(), s.kernel.height, s.kernel.width}, 2);
  const Tensor b = normal_numbers<T>({s.out_channels}, 3);
  const Tensor dy = normal_numbers<T>({s.batch, s.out_channels, s.out.height, s.out.width}, 4);
  // The mask is of other numbers: those of y may be rounded to both sides of zero.
  ReluMask mask(s.batch, s.out_channels, s.out);
  Tensor numbers = normal_numbers<T>(dy.shape(), 5);
  apply_relu({true, &mask}, s, numbers.mutable_data<T>());
  // Garbage in the results, to see that all of it is overwritten.
  const auto garbage = [](const Tensor& like) { return Tensor::full(like.shape(), NAN, like.dtype()); };
  ConvolutionResults r{garbage(dy), garbage(dy), garbage(dy), garbage(x), garbage(w), garbage(x), garbage(w)};
  const auto forward = [&](const T* bias, Tensor& y, bool relu) {
    convolution_forward(s, x.data<T>(), w.data<T>(), bias, y.mutable_data<T>(), algorithm, {.on = relu});
  };
  const auto backward = [&](const ReluMask& through, Tensor& dx, Tensor& dw) {
    convolution_input_gradient(s, dy.data<T>(), w.data<T>(), dx.mutable_data<T>(), algorithm, through);
    convolution_weight_gradient(s, x.data<T>(), dy.data<T>(), dw.mutable_data<T>(), algorithm, through);
  };
  forward(b.data<T>(), r.y, false);
  forward(nullptr, r.y_without_bias, false);
  forward(b.data<T>(), r.y_relu, true);
  backward({}, r.dx, r.dw);
  backward(mask, r.dx_masked, r.dw_masked);
  return r;
}

/// The largest difference relative to the largest number.
inline double relative_error(const Tensor& fast, const Tensor& exact) {
  double largest = 1e-30;
  for (const double v : exact.to_vector()) largest = std::max(largest, std::abs(v));
  return largest_difference(fast.to(exact.dtype()), exact) / largest;
}

/// Fails the test unless all results of `fast` are those of `exact` up to `tolerance` of the largest number.
inline void check_close(const ConvolutionResults& fast, const ConvolutionResults& exact, double tolerance) {
  ConvolutionResults::for_each_pair(fast, exact, [&](const char* name, const Tensor& a, const Tensor& b) {
    CAPTURE(name);
    CHECK(relative_error(a, b) < tolerance);
  });
}

/// Fails the test unless an algorithm gives the same bits on one, two and three threads.
template <class T>
void check_any_number_of_threads(const ConvolutionShape& shape, ConvolutionAlgorithm algorithm) {
  const int before = num_threads();
  set_num_threads(1);
  const ConvolutionResults one = convolution_results<T>(shape, algorithm);
  for (const int threads : {2, 3}) {
    CAPTURE(threads);
    set_num_threads(threads);
    const ConvolutionResults many = convolution_results<T>(shape, algorithm);
    ConvolutionResults::for_each_pair(one, many, [](const char* name, const Tensor& a, const Tensor& b) {
      CAPTURE(name);
      CHECK(identical(a, b));
    });
  }
  set_num_threads(before);
}

}  // namespace gesso::testing
