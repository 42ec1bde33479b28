// The innermost loops of the direct convolution (core/convolution/direct/direct.h): sums of products that
// stay in the CPU's vector registers from first to last. Each comes in several sizes, compiled for AVX-512,
// AVX2 and plain x86-64 (or any other CPU); the choice is made when the program runs.
#pragma once

#include "gesso/core/index.h"

namespace gesso {

/// A tile of the result of a convolution, `channels` by `vectors` registers of `lanes` pixels each:
///
///     y[r][c * y_stride + l] = bias[c] + sum over k of w[k * channels + c] x[r][offset[k] + l]
///
/// for channels c, vectors r, lanes l, and k < taps.
template <class T>
struct CorrelateKernel {
  using Run = void (*)(Index taps, const T* w, const Index* offset, const T* bias, const T* const* x,
                       T* const* y, Index y_stride);
  static constexpr int most_channels = 8, most_vectors = 8, most_lanes = 64 / sizeof(T);

  int channels, vectors, lanes;
  Run run;
  Run run_half;  ///< the same for (vectors + 1) / 2 vectors, for the end of a loop
};

/// The kernel for `channels` or, if that is more than registers can hold, the largest.
template <class T>
CorrelateKernel<T> correlate_kernel(Index channels);

/// A tile of the gradient to the weight, `channels` by `taps` numbers:
///
///     sum[c * sum_stride + k] += sum over p < length of dy[c * dy_stride + p] x[offset[k] + p]
///
/// for channels c and k < taps. `length` is a multiple of `lanes`.
template <class T>
struct ProductSumKernel {
  using Run = void (*)(Index length, const T* dy, Index dy_stride, const T* x, const Index* offset, T* sum,
                       Index sum_stride);
  static constexpr int most_channels = 4, most_taps = 12, most_lanes = 64 / sizeof(T);

  int channels, taps, lanes;
  Run run;
};

/// The kernel for `channels` or, if that is more than registers can hold, the largest.
template <class T>
ProductSumKernel<T> product_sum_kernel(Index channels);

/// The same sums for many channels, `taps` by `channels` numbers in registers:
///
///     sum[k * sum_stride + c] += sum over i < rows, j < columns of
///                                dy[(i * columns + j) * dy_stride + c] x[offset[k] + i * x_row + j * x_step]
///
/// for k < taps and c < channels: dy has its channels side by side, a vector of them at a time; each number
/// of x is multiplied by all of them.
template <class T>
struct OuterProductKernel {
  using Run = void (*)(Index rows, Index columns, const T* dy, Index dy_stride, const T* x, Index x_row,
                       Index x_step, const Index* offset, T* sum, Index sum_stride);
  /// y[j * y_stride + c] = x[c * x_stride + j] for c, j < lanes.
  using Transpose = void (*)(const T* x, Index x_stride, T* y, Index y_stride);
  static constexpr int most_lanes = 64 / sizeof(T);

  struct Size {
    int taps;
    Run run;
  };
  int lanes;
  int channels;   ///< one or two vectors
  Size sizes[4];  ///< most taps first; the last takes one tap
  Transpose transpose;
};

/// The kernel for `channels` or, if that is more than registers can hold, the largest.
template <class T>
OuterProductKernel<T> outer_product_kernel(Index channels);

}  // namespace gesso
