// What it takes of the memory to repaint a picture.
#pragma once

#include <string>

#include "gesso/core/size2d.h"

namespace gesso {

/// How many times as large as the file a picture is that is scaled to the short side `size` (0: as it is).
double factor_of(Size2d loaded, Index size);

/// Bytes of memory to repaint a picture of this size, scaled `factor` times and painted at `scale` times that by a network
/// that takes `per_pixel` bytes.
double memory_to_repaint(Size2d loaded, double factor, double scale, double per_pixel);

/// Throws FileError for `name`, with the size that fits, unless there is so much memory.
void require_memory_to_repaint(Size2d loaded, double factor, double scale, double per_pixel,
                               const std::string& name);

}  // namespace gesso
