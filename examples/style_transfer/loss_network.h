// The loss network's interface: a fixed function from pictures to features, at several depths. Style is
// measured by statistics of the style taps, content by the values of the content taps.
#pragma once

#include <vector>

#include "gesso/core/tensor.h"

namespace gesso {

/// The features of one depth of a loss network.
struct Tap {
  Tensor style;    ///< (N, C, H, W): its statistics over H x W are compared with the style picture's
  Tensor content;  ///< (N, C, H, W), compared value by value with the photograph's; undefined if this depth
                   ///< has none
};

/// A loss network. Its filters are fixed: gradients pass through it to the picture only.
class LossNetwork {
 public:
  virtual ~LossNetwork() = default;
  /// The taps of pictures (N, 3, H, W) in [0, 1], shallow to deep; differentiable.
  virtual std::vector<Tap> taps(const Tensor& pictures) const = 0;
  /// The smallest height and width that taps() can take.
  virtual std::int64_t min_size() const = 0;
};

}  // namespace gesso
