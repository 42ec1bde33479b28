// The photographs of a comparison: some to train on, others held out to test with, and what is done to them.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "gesso/core/tensor.h"

namespace gesso {

/// The files of a folder, split: training never sees the test photographs.
struct PhotographFiles {
  std::vector<std::string> training, test;
};

/// Splits the pictures in `folder`: a fifth of them (2 to 8), evenly spread over the names, are for testing.
/// Of a large folder 500 are used, evenly spread too: short trainings see no more, and normalized copies are
/// made of all. Each is read once here: a comparison in which some pictures turned out to be unreadable
/// halfway would not be fair. Throws FileError as pictures_in() does, for fewer than 4 pictures, and for one
/// that cannot be read.
PhotographFiles split_photographs(const std::filesystem::path& folder);

/// The middle squares of pictures, scaled to `side` pixels: (files, 3, side, side).
Tensor middle_squares(const std::vector<std::string>& files, Index side);

/// `picture` (1, 3, H, W) at `factor` times its contrast, about its mean gray, clamped to [0, 1].
Tensor with_contrast(const Tensor& picture, double factor);

/// `picture` (1, 3, H, W) with its luminance's histogram made flat: the same contrast for every photograph
/// (Huang and Belongie 2017, arXiv 1703.06868, figure 1b). Colour differences are kept.
Tensor equalize_luminance(const Tensor& picture);

/// Applies `change` to each picture of (N, 3, H, W).
Tensor each_picture(const Tensor& pictures, const std::function<Tensor(const Tensor&)>& change);

/// Scales each picture to a short side of at most `size`, writes change(picture) to `folder`, and returns the
/// paths in the same order. Files that are there already are left as they are. Throws FileError for pictures
/// that cannot be read or written.
std::vector<std::string> prepare_photographs(const std::vector<std::string>& files,
                                             const std::filesystem::path& folder, Index size,
                                             const std::function<Tensor(const Tensor&)>& change);

}  // namespace gesso
