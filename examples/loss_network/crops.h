// What teacher and student see: crops of pictures, no two alike.
#pragma once

#include <string>
#include <vector>

#include "gesso/core/generator.h"
#include "gesso/core/tensor.h"

namespace gesso {

/// Pictures scaled down to a short side of 384 pixels at most: enough for crops, and hundreds fit into
/// memory. Those that cannot be read are left out; throws FileError if none can.
std::vector<Tensor> load_small(const std::vector<std::string>& files);

/// Bytes of memory that load_small(files) takes, from the headers of the files.
double memory_of_small(const std::vector<std::string>& files);

/// `count` squares, (count, 3, size, size) in [0, 1], cut from pictures drawn at random: with a side of 0.2
/// to 1 of the picture's short side, scaled to `size`. `varied` crops are changed at random: half are turned
/// by any angle, half mirrored, a quarter blurred, a third grainy (noise of a deviation of up to 0.15); each
/// has 0.6 to 1.6 times the contrast, is up to 0.15 brighter or darker, and has each colour up to 15 %
/// stronger or weaker.
Tensor draw_crops(const std::vector<Tensor>& pictures, Index count, Index size, bool varied, Generator& rng);

/// Of those the ones from `first` to before `last` alone; all are drawn.
Tensor draw_crops(const std::vector<Tensor>& pictures, Index count, Index size, bool varied, Generator& rng,
                  Index first, Index last);

}  // namespace gesso
