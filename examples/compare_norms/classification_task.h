// What the small classifiers of a comparison learn.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "gesso/training/labelled_pictures.h"

namespace gesso {

/// Labelled pictures to learn from and to be tested with, all of one size.
struct ClassificationTask {
  LabelledPictures training, test;
  std::string words;  ///< what is asked, and of what, for the report
};

/// Which of the photographs does a small crop come from? Colour, brightness and contrast of the crop say much
/// about that, and instance norm takes away the mean and the contrast of every channel. Training crops come
/// from one part of each photograph, test crops from another, without a pixel in common.
/// Of at most 20 of `files`, evenly spread. Throws FileError for pictures that cannot be read.
ClassificationTask make_classification_task(const std::vector<std::string>& files);

/// What does a picture show? MNIST, CIFAR-10 or CIFAR-100 in `folder` (load_data_set()), of which up to 2000 pictures
/// to learn from and 1000 to test with are taken, evenly spread; without a folder drawn shapes, 1000 of each. Throws
/// FileError as load_data_set() does.
ClassificationTask labelled_task(const std::filesystem::path& folder);

}  // namespace gesso
