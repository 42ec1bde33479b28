// Each experiment, by the file that defines it.
#pragma once

#include "experiment.h"

namespace gesso {

const Experiment& batch_size_experiment();     // batch_size.cpp
const Experiment& learning_rate_experiment();  // learning_rate.cpp
const Experiment& depth_experiment();          // depth.cpp
const Experiment& place_experiment();          // place.cpp
const Experiment& constants_experiment();      // constants.cpp
const Experiment& landscape_experiment();      // landscape.cpp
const Experiment& weight_growth_experiment();  // weight_growth.cpp

}  // namespace gesso
