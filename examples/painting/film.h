// Films: raw frames in, repainted frames out.
#pragma once

#include <cstdio>
#include <functional>
#include <vector>

#include "flicker.h"
#include "style_network.h"
#include "stylize.h"

namespace gesso {

struct FilmOptions {
  Index width = 0, height = 0;  ///< of every frame
  double smooth = 0;            ///< see SmoothedStatistics; 0 paints each frame by itself
  PaintOptions paint = {};
  std::function<bool()> stop = {};  ///< asked before each frame: whether the film shall end there
};

/// While it lives, the instance norms in `network` normalize by an average over this frame and earlier ones,
///
///     average = keep average + (1 - keep) own
///
/// which begins with the first frame's own mean and (biased) variance. What differs from frame to frame by
/// noise then changes the picture less. Throws ArgumentError unless 0 <= keep < 1. While it lives, the
/// network throws ArgumentError for several pictures at a time, and where a layer other than instance norm
/// normalizes each picture by itself. The network must outlive it.
class SmoothedStatistics {
 public:
  SmoothedStatistics(Module& network, double keep);
  ~SmoothedStatistics();
  SmoothedStatistics(const SmoothedStatistics&) = delete;
  SmoothedStatistics& operator=(const SmoothedStatistics&) = delete;

 private:
  std::vector<Module*> norms_;
};

/// Reads frames from `in` until its end, 3 bytes a pixel (red, green, blue; ffmpeg calls it rgb24), and
/// writes each repainted in the same form to `out`; returns how much it flickers. Calls `frame_done` with the
/// frames so far after each. The network goes into eval mode. Throws ArgumentError for impossible options,
/// FileError when `out` takes no more (the disk is full, its reader is gone) and when the last frame is cut
/// short; those before it are then written.
FlickerScore repaint_film(StyleNetwork& network, const FilmOptions& options, std::FILE* in, std::FILE* out,
                          const std::function<void(Index)>& frame_done = {});

}  // namespace gesso
