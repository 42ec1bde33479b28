#include "painting_memory.h"

#include <algorithm>
#include <cmath>

#include "gesso/core/error.h"
#include "gesso/core/system_limits.h"
#include "painting/memory_need.h"
#include "painting/stylize.h"

namespace gesso {
namespace {

double pixels(Size2d size) { return static_cast<double>(size.height) * static_cast<double>(size.width); }

}  // namespace

double factor_of(Size2d loaded, Index size) {
  const Index shorter = std::min(loaded.height, loaded.width);
  return size == 0 || shorter == 0 ? 1 : static_cast<double>(size) / static_cast<double>(shorter);
}

double memory_to_repaint(Size2d loaded, double factor, double scale, double per_pixel) {
  const double enlarged = factor * factor * std::max(1.0, scale * scale);
  return memory_for_painting(pixels(loaded), enlarged * pixels(loaded), per_pixel);
}

void require_memory_to_repaint(Size2d loaded, double factor, double scale, double per_pixel,
                               const std::string& name) {
  const double need = memory_to_repaint(loaded, factor, scale, per_pixel);
  const auto available = static_cast<double>(available_memory());
  if (need <= available) {
    return;
  }
  const double for_loading = memory_for_painting(pixels(loaded), 0, per_pixel);
  const double fits =
      std::max(0.0, available - for_loading) / memory_for_painting(0, 1, per_pixel);  // pixels
  const auto side = static_cast<Index>(0.97 * static_cast<double>(std::min(loaded.height, loaded.width)) *
                                       std::sqrt(fits / pixels(loaded) / std::max(1.0, scale * scale)));
  throw FileError(concat_text(name, ": ", loaded.width, " x ", loaded.height, " pixels",
                              factor == 1 ? "" : concat_text(", scaled ", factor, " times,"), " take ",
                              gigabytes(need), " of memory to repaint, and there are ", gigabytes(available),
                              side >= 8 ? concat_text("; --size ", side, " fits")
                                        : "; make the picture smaller with another program"));
}

}  // namespace gesso
