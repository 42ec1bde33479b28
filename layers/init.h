// Initial values of weights. Each function overwrites a tensor in place, a parameter too, with numbers from
// `rng`; to set a constant use Tensor::fill_.
//
// A weight's fans are counted as PyTorch counts them: of shape (a, b, ...), fan_in is b and fan_out is a,
// each times the product of the other sizes. So a convolution's weight (out, in / groups, kh, kw) has fan_in
// = in / groups * kh * kw; for a transposed convolution's (in, out / groups, kh, kw), PyTorch calls out /
// groups * kh * kw fan_in, and so does gesso.
#pragma once

#include "gesso/core/generator.h"
#include "gesso/core/tensor.h"

namespace gesso::init {

struct Fans {
  Index in = 0;
  Index out = 0;
};

/// The fans of a weight. Throws ArgumentError for fewer than two dimensions.
Fans fans(const Shape& shape);

/// Numbers in [low, high).
void uniform_(Tensor tensor, Generator& rng, double low, double high);
/// Normally distributed numbers.
void normal_(Tensor tensor, Generator& rng, double mean, double deviation);

enum class FanMode { in, out };

struct KaimingOptions {
  double a = 0;                ///< slope of the leaky ReLU that follows: 0 for ReLU, 1 for none
  FanMode mode = FanMode::in;  ///< in keeps the variance of activations, out that of gradients
};

/// Keeps variances through layers followed by (leaky) ReLU (He et al. 2015, arXiv 1502.01852, equations 10
/// and 14): standard deviation sqrt(2 / (1 + a^2) / fan), so the bound of the uniform numbers is sqrt(3) of
/// that. Throws ArgumentError for fewer than two dimensions.
void kaiming_uniform_(Tensor tensor, Generator& rng, const KaimingOptions& options = {});
void kaiming_normal_(Tensor tensor, Generator& rng, const KaimingOptions& options = {});

/// A compromise between the two fans (Glorot and Bengio 2010, equation 16): standard deviation
/// gain sqrt(2 / (fan_in + fan_out)). Throws ArgumentError for fewer than two dimensions.
void xavier_uniform_(Tensor tensor, Generator& rng, double gain = 1);
void xavier_normal_(Tensor tensor, Generator& rng, double gain = 1);

/// The tensor as a matrix of size(0) rows has orthonormal rows (or columns, if those are fewer), times
/// `gain`; uniformly distributed over all such matrices (Saxe et al. 2013, arXiv 1312.6120). Computed in
/// float64. Throws ArgumentError for fewer than two dimensions.
void orthogonal_(Tensor tensor, Generator& rng, double gain = 1);

/// How Conv2d, ConvTranspose2d and Linear begin, as in PyTorch: weight and bias uniform within
/// 1 / sqrt(fan_in of the weight). `bias` may be undefined.
void default_layer_(Tensor weight, Tensor bias, Generator& rng);

}  // namespace gesso::init
