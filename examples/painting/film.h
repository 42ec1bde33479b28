// Films: raw frames in, repainted frames out.
#pragma once

#include <cstdio>
#include <functional>

#include "flicker.h"
#include "style_network.h"

namespace gesso {

struct FilmOptions {
  Index width = 0, height = 0;  ///< of every frame
  /// The share of earlier frames in what instance norm normalizes with, 0 to below 1: see
  /// NormalizationLayer::smooth_statistics(). 0 paints each frame for itself.
  double smooth = 0;
  bool keep_colors = false;  ///< see keep_colors()
  double scale = 1;          ///< see stylize()
};

/// Reads frames from `in` until its end, 3 bytes a pixel (red, green, blue; ffmpeg calls it rgb24), and
/// writes each repainted in the same form to `out`; returns how much it flickers. Calls `frame_done` with the
/// frames so far after each. The network goes into eval mode. Throws ArgumentError for impossible options,
/// FileError when `out` takes no more (the disk is full, its reader is gone) and when the last frame is cut
/// short: those before it are written then.
FlickerScore repaint_film(StyleNetwork& network, const FilmOptions& options, std::FILE* in, std::FILE* out,
                          const std::function<void(Index)>& frame_done = {});

}  // namespace gesso
