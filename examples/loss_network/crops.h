// What the classifier sees: crops of the pictures, no two alike, and which picture each is from.
#pragma once

#include <string>
#include <vector>

#include "gesso/core/generator.h"
#include "gesso/core/tensor.h"

namespace gesso {

struct Crops {
  Tensor pictures;            ///< (N, 3, size, size) in [0, 1]
  std::vector<Index> labels;  ///< the number of the picture that each was cut out of
};

/// Pictures scaled to a short side of 192 pixels: enough for crops, and hundreds fit into memory. Throws
/// FileError for one that cannot be read.
std::vector<Tensor> load_small(const std::vector<std::string>& files);

/// `count` crops, each a square with a side of 0.28 to 0.75 of its picture's short side, scaled to `size`, of
/// pictures drawn at random. `varied` crops are changed at random: half are mirrored, and one in five is
/// blurred; each has 0.8 to 1.25 times the contrast, is up to a tenth brighter or darker, and has each colour
/// up to 4 % stronger or weaker (no more: a network that is shown strongly changed colours learns to ignore
/// colour, and a style's palette would be invisible to it).
Crops draw_crops(const std::vector<Tensor>& pictures, Index count, Index size, bool varied, Generator& rng);

}  // namespace gesso
