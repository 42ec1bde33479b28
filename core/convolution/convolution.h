// The two-dimensional convolution: forward, and the gradients to input and weight (core/convolution/bias.h
// has the bias's).
//
// With input x, weight w, bias b and result y, for stride s, padding p, dilation d, and, wherever x is read
// outside, what the padding mode says (zeros, or pixels of x: core/padding_mode.h):
//
//     y[n, o, i, j] = b[o] + sum over c, u, v of
//                     w[o, c, u, v] x[n, first(o) + c, s i - p + d u, s j - p + d v]
//
// The channels are cut into `groups` equal runs; result channel o reads only the run of input channels that
// belongs to its group, which begins at first(o). (As everywhere in deep learning, this is what signal
// processing calls a cross-correlation: the kernel is not mirrored.)
//
// All arrays are dense and row-major. Results are the same bit for bit for every number of threads.
#pragma once

#include "gesso/core/convolution/relu_mask.h"
#include "gesso/core/convolution/shape.h"

namespace gesso {

/// How to compute a convolution. All give the same numbers up to rounding.
enum class ConvolutionAlgorithm {
  automatic,  ///< the fastest known for the shape
  plain,      ///< the formula as nested loops, on one thread: what the others are tested against
  im2col,     ///< as products of matrices, core/convolution/im2col.h
  direct,     ///< sums in registers from a padded copy in cache, core/convolution/direct/direct.h
  winograd,   ///< a quarter of the products, core/convolution/winograd/winograd.h; only float32, stride 1,
              ///< dilation 1, one group
};

/// While one lives, `automatic` means `algorithm` on this thread: to compare whole training runs.
class ConvolutionAlgorithmGuard {
 public:
  explicit ConvolutionAlgorithmGuard(ConvolutionAlgorithm algorithm);
  ~ConvolutionAlgorithmGuard();
  ConvolutionAlgorithmGuard(const ConvolutionAlgorithmGuard&) = delete;
  ConvolutionAlgorithmGuard& operator=(const ConvolutionAlgorithmGuard&) = delete;

 private:
  ConvolutionAlgorithm before_;
};

/// What `automatic` means for the forward of this shape, but for a ConvolutionAlgorithmGuard.
template <class T>
ConvolutionAlgorithm automatic_algorithm(const ConvolutionShape& shape);

// All throw ArgumentError when asked for an algorithm that cannot compute the shape.

/// y = convolution of x and w, plus the bias unless `bias` is null, and then the relu if it is on.
///   x     (batch, in_channels, in.height, in.width)
///   w     (out_channels, group_in, kernel.height, kernel.width)
///   bias  (out_channels)
///   y     (batch, out_channels, out.height, out.width)
template <class T>
void convolution_forward(const ConvolutionShape& shape, const T* x, const T* w, const T* bias, T* y,
                         ConvolutionAlgorithm algorithm = ConvolutionAlgorithm::automatic,
                         const FusedRelu& relu = {});

/// dx = the gradient to x, from dy, the gradient to y. This is also what a transposed convolution computes:
///     dx[n, c, k, l] = sum of w[o, c, u, v] dy[n, o, i, j] over all o, u, v, i, j with
///                      k = s i - p + d u and l = s j - p + d v
/// and, where the padding shows pixels of x, over those that read pixel (k, l) in the padding. dy counts as
/// zero where the mask of a relu is not set.
template <class T>
void convolution_input_gradient(const ConvolutionShape& shape, const T* dy, const T* w, T* dx,
                                ConvolutionAlgorithm algorithm = ConvolutionAlgorithm::automatic,
                                const ReluMask& mask = {});

/// dw = the gradient to w:
///     dw[o, c, u, v] = sum over n, i, j of dy[n, o, i, j] x[n, first(o) + c, s i - p + d u, s j - p + d v]
/// with the mask as above.
template <class T>
void convolution_weight_gradient(const ConvolutionShape& shape, const T* x, const T* dy, T* dw,
                                 ConvolutionAlgorithm algorithm = ConvolutionAlgorithm::automatic,
                                 const ReluMask& mask = {});

}  // namespace gesso
