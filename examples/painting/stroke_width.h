// How wide a picture's strokes are, by what squares of growing size can still fit into (granulometry: Matheron
// 1975; Serra 1982).
#pragma once

#include "gesso/core/tensor.h"

namespace gesso {

/// The widest that strokes can measure: what is wider counts as form, not as stroke.
inline constexpr Index max_stroke_width = 33;

/// Of the brightness (mean of the colours) of `picture`, float32 (1, 3, H, W): half of all contrast, of light
/// strokes on dark and dark ones on light, is in strokes of up to so many pixels, among those of up to
/// max_stroke_width. An opening by a square takes away what is lighter than around it and narrower than the
/// square, a closing what is darker; the measure is where the sum of what both take away reaches half of what
/// the largest takes. Between sizes (1, 3, 5, ...) linear. 0 for a picture without contrast. Throws
/// ArgumentError for another shape or dtype.
double measure_stroke_width(const Tensor& picture);

}  // namespace gesso
