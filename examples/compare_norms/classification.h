// Where batch norm wins: a small classification task on the photographs that are there anyway.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "gesso/training/labelled_pictures.h"
#include "results.h"

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

/// Trains a small network (three times convolution, normalization and ReLU, then a linear layer over all
/// positions) with the weights and order of `seed`, until it knows all of its training set or for `steps` steps,
/// and tests it in eval mode. `after_step` is called with the number of steps done; when it returns false, the
/// training ends without a result. Throws DivergedError.
std::optional<ClassificationRun> train_classifier(const ClassificationTask& task,
                                                  const std::string& normalization, std::uint64_t seed,
                                                  Index steps,
                                                  const std::function<bool(Index)>& after_step = {});

}  // namespace gesso
