// What style losses compare: how often each channel fires, and with which others, over all places of a
// picture.
#pragma once

#include "gesso/core/tensor.h"

namespace gesso {

enum class GramNormalizer {
  none,                ///< F F^T
  pixels,              ///< F F^T / (H W)
  channels_and_pixels  ///< F F^T / (C H W), as in Johnson et al. 2016, section 3.2
};

/// The Gram matrix of each sample of x (N, C, H, W), F being its C rows of H W pixels: (N, C, C). Throws
/// ArgumentError unless x has four dimensions and at least one pixel.
Tensor gram_matrix(const Tensor& x, GramNormalizer normalizer = GramNormalizer::channels_and_pixels);

struct ChannelMoments {
  Tensor mean;        ///< (N, C): mu, the mean over pixels
  Tensor covariance;  ///< (N, C, C): (F - mu)(F - mu)^T / (H W)
};

/// Mean and centred covariance of the channels of each sample of x (N, C, H, W), faster together than one by
/// one. The pixels are centred before they are multiplied, so means far from 0 cost no digits. Throws
/// ArgumentError unless x has four dimensions and at least one pixel.
ChannelMoments channel_moments(const Tensor& x);

/// channel_moments(x).covariance
Tensor covariance_matrix(const Tensor& x);

}  // namespace gesso
