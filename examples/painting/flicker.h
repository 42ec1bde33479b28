// How much a repainted film flickers: what moves in the painting although nothing moved in the film.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gesso/core/index.h"

namespace gesso {

struct FrameSize {
  Index width, height;
  Index bytes() const { return 3 * width * height; }  ///< red, green and blue (rgb24)
};

/// "640x360"; nothing for other text and for sides that are not 1 to 16384.
std::optional<FrameSize> parse_frame_size(const std::string& text);

/// Means, over all frames but the first, of changes from the frame before: absolute differences of bytes, as
/// a share of 255.
struct FlickerScore {
  Index frames = 0;
  double change = 0;                ///< of the film: what moved, and its noise
  double painted_change = 0;        ///< of the painted film
  double still = 0;                 ///< the share of the film's pixels that stood still
  double still_change = 0;          ///< of the film at these pixels: its noise
  double still_painted_change = 0;  ///< of the painted film at these pixels
  /// How much more than the film the painting changes where the film stands still: 0 is as steady as the
  /// film.
  double flicker() const { return still_painted_change - still_change; }
};

/// Compares a film with the repainted one, frame by frame. A pixel stands still from one frame to the next if
/// the film's three bytes change by `still_below` of 255 at most, on average.
class FlickerMeter {
 public:
  /// `bytes` of a frame: 3 for each pixel. Throws ArgumentError unless that is a positive multiple of 3 and
  /// still_below is in [0, 1].
  explicit FlickerMeter(Index bytes, double still_below = 0.02);

  /// The next frame of both, `bytes` long.
  void add(const unsigned char* frame, const unsigned char* painted);
  FlickerScore score() const;

 private:
  std::size_t bytes_;
  int still_below_;  // of the sum over a pixel
  std::vector<unsigned char> frame_before_, painted_before_;
  Index frames_ = 0, still_pixels_ = 0;
  Index change_ = 0, painted_change_ = 0, still_change_ = 0, still_painted_change_ = 0;
};

}  // namespace gesso
