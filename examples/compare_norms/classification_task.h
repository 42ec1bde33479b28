// A small classification task on the photographs that are there anyway.
#pragma once

#include <string>
#include <vector>

#include "gesso/training/labelled_pictures.h"

namespace gesso {

/// Which of the photographs does a small crop come from? Colour, brightness and contrast of the crop say much
/// about that, and instance norm takes away the mean and the contrast of every channel. Training crops come
/// from one part of each photograph, test crops from another, without a pixel in common.
struct ClassificationTask {
  LabelledPictures training, test;  ///< crops; their classes are the names of the photographs

  /// One sentence for the report.
  std::string describe() const;
};

/// The task for at most 20 of `files`, evenly spread. Throws FileError for pictures that cannot be read.
ClassificationTask make_classification_task(const std::vector<std::string>& files);

}  // namespace gesso
