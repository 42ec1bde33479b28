// Applying a style network to pictures of any size.
#pragma once

#include <utility>

#include "style_network.h"

namespace gesso {

/// How a painting is laid over its photograph.
struct PaintOptions {
  /// Painted at so many times the size and scaled back. Strokes have one size in pixels, so 0.5 makes them
  /// twice as large, 2 half as large. Above 1, at most max_scaled_pixels are painted, which take about 6 GB
  /// at width 16.
  double scale = 1;
  bool keep_colors = false;  ///< see keep_colors()
  double opacity = 1;        ///< 0: the photograph exactly, 1: the painting, between: both, mixed
};
inline constexpr Index max_scaled_pixels = 16'000'000;

/// The size at which a picture of height x width is painted. Throws as stylize() does.
std::pair<Index, Index> scaled_size(Index height, Index width, double scale);

/// The network's picture of `photograph` (1, 3, H, W): the same size, clamped to [0, 1]. Sizes that the
/// network cannot take are padded by repeating the border, and cropped again. Records no graph. Throws
/// ArgumentError for a scale that is not above 0 or too large, naming the largest, and for an opacity that is
/// not in 0 to 1.
Tensor stylize(StyleNetwork& network, const Tensor& photograph, const PaintOptions& options = {});

/// Throws as stylize() does for an opacity.
void check_opacity(double opacity);

/// PaintOptions::opacity for a strength of a style, from 0 to 1.5. A network that has `learned` to leave photographs as
/// they are (TrainSettings::strength) paints weak styles itself, but not a photograph exactly: below half the strength its
/// painting fades out. Any other's is mixed with the photograph.
double opacity_for(double strength, bool learned);

/// Bytes of memory that stylize() takes for each pixel that is painted: what it takes for 256 x 256.
double bytes_per_pixel(StyleNetwork& network);

/// Bytes that it takes to load a picture of `loaded` pixels, to paint `painted` and to save it; the network takes
/// `per_pixel` bytes.
double memory_for_painting(double loaded, double painted, double per_pixel);

/// The brightness of `painted` with the colours of `photograph`, both (1, 3, H, W): what --keep-colors shows.
/// Clamped to [0, 1].
Tensor keep_colors(const Tensor& painted, const Tensor& photograph);

}  // namespace gesso
