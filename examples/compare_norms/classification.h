// Where batch norm wins: a small classification task on the photographs that are there anyway.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "gesso/core/tensor.h"
#include "results.h"

namespace gesso {

/// Which of the photographs does a small crop come from? Colour, brightness and contrast of the crop say much
/// about that, and instance norm takes away the mean and the contrast of every channel. Training crops come
/// from one part of each photograph, test crops from another, without a pixel in common.
struct ClassificationTask {
  std::vector<Tensor> training;    ///< the part of each photograph to train on, (1, 3, H, W)
  Tensor test;                     ///< crops to test with, (crops, 3, side, side)
  std::vector<Index> test_labels;  ///< the photograph that each comes from

  /// One sentence for the report.
  std::string describe() const;
};

/// The task for at most 20 of `files`, evenly spread. Throws FileError for pictures that cannot be read.
ClassificationTask make_classification_task(const std::vector<std::string>& files);

/// Trains a small network (three times convolution, normalization and ReLU, then the mean over all positions
/// and a linear layer) with the weights and crops of `seed`, and tests it in eval mode. `after_step` is
/// called with the number of steps done; when it returns false, the training ends without a result.
std::optional<ClassificationRun> train_classifier(const ClassificationTask& task,
                                                  const std::string& normalization, std::uint64_t seed,
                                                  Index steps,
                                                  const std::function<bool(Index)>& after_step = {});

}  // namespace gesso
