// How much the experiments do.
#pragma once

#include "gesso/core/index.h"

namespace gesso {

/// The same for each experiment.
struct ExperimentSettings {
  Index seeds = 3;  ///< repetitions: seeds 1, 2, ...
  Index steps =
      150;  ///< of a training with batches of 16; smaller batches take more, to see as many pictures
};

}  // namespace gesso
