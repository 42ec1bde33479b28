// Each experiment, by the file that defines it.
#pragma once

#include "experiment.h"

namespace gesso {

const Experiment& batch_size_experiment();  // batch_size.cpp

}  // namespace gesso
