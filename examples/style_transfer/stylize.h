// Applying a style network to pictures of any size.
#pragma once

#include "style_network.h"

namespace gesso {

/// The network's picture of `photograph` (1, 3, H, W): the same size, clamped to [0, 1]. Sizes that the
/// network cannot take are padded by repeating the border and cut again. Recorded by no graph.
Tensor stylize(StyleNetwork& network, const Tensor& photograph);

/// The brightness of `painted` with the colours of `photograph`, both (1, 3, H, W): what --keep-colors shows.
/// Clamped to [0, 1].
Tensor keep_colors(const Tensor& painted, const Tensor& photograph);

}  // namespace gesso
