// style-transfer stylize: a picture that is too large for the memory, by strips.
#pragma once

#include <filesystem>
#include <functional>

#include "gesso/core/pictures/rows/picture_rows.h"
#include "painting/style_network.h"
#include "painting/stylize.h"

namespace gesso {

struct StripTask {
  std::filesystem::path from, to;
  Index size = 0;  ///< short side to scale to first; 0 keeps the size
  PaintOptions paint = {};
  double memory = 0;                  ///< bytes that there are for it
  bool thumbnail_statistics = false;  ///< normalizes with the statistics of a small copy
};

/// The limit for pictures that go by strips.
inline constexpr LoadOptions strip_load_options{.max_pixels = Index{1} << 40};

/// Repaints the picture of `task` as stylize() does, with the same result, a strip of rows at a time. Says on standard error
/// what it takes, before it begins, and how far it is. Throws FileError, with the size that fits, if the memory or the disk
/// is too small, and for what fails on the way; nothing of the painting is there then.
void repaint_by_strips(StyleNetwork& network, const StripTask& task);

}  // namespace gesso
