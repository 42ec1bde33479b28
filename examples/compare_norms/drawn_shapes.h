// Labelled pictures that need no download: drawn shapes.
#pragma once

#include <cstdint>

#include "gesso/training/labelled_pictures.h"

namespace gesso {

/// `count` pictures (3, 24, 24) of ten shapes in turn: disc, ring, square, frame, triangle, plus, cross, bars, crescent,
/// corner. Each has a colour, a place, a size and a turn (up to 14 degrees) of its own, on a background of another
/// colour with two small spots and noise: nothing but the shape says which it is. Drawn in whole numbers: `count` and
/// `seed` give the same bytes on every machine. Throws ArgumentError unless count is positive.
LabelledPictures draw_shapes(Index count, std::uint64_t seed);

}  // namespace gesso
