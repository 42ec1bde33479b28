// The small classifiers of a comparison.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "classification_task.h"
#include "results.h"

namespace gesso {

/// Trains a small network (three times convolution, normalization and ReLU, then a linear layer over all
/// positions) with the weights and order of `seed`, until it knows all of its training set or for `steps` steps,
/// and tests it in eval mode. `after_step` is called with the number of steps done; when it returns false, the
/// training ends without a result. Throws DivergedError.
std::optional<ClassificationRun> train_classifier(const ClassificationTask& task,
                                                  const std::string& normalization, std::uint64_t seed,
                                                  Index steps,
                                                  const std::function<bool(Index)>& after_step = {});

}  // namespace gesso
