// Applying a style network to pictures of any size.
#pragma once

#include "style_network.h"

namespace gesso {

/// The network's picture of `photograph` (1, 3, H, W): the same size, clamped to [0, 1]. Sizes that the
/// network cannot take are padded by repeating the border, and cropped again. Records no graph.
///
/// It is painted at `scale` times the size and scaled back. Strokes have one size in pixels, so 0.5 makes
/// them twice as large, 2 half as large. Above 1, at most max_scaled_pixels are painted, which take about 6
/// GB at width 16. Throws ArgumentError for more, naming the largest scale, and for a scale not above 0.
Tensor stylize(StyleNetwork& network, const Tensor& photograph, double scale = 1);
inline constexpr Index max_scaled_pixels = 16'000'000;

/// The brightness of `painted` with the colours of `photograph`, both (1, 3, H, W): what --keep-colors shows.
/// Clamped to [0, 1].
Tensor keep_colors(const Tensor& painted, const Tensor& photograph);

}  // namespace gesso
