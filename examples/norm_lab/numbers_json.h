// What the walk shows, as one JSON document.
#pragma once

#include <string>

#include "walk.h"

namespace norm_lab {

/// The layer and every number of its forward and backward, each with all digits of a float64: tensors are
/// flat lists, row-major; those of statistics are in the order of "statistics", which names them. The
/// document is of `norm`'s layer.
std::string numbers_json(Norm norm, gesso::NormalizationLayer& layer, const Example& example);

}  // namespace norm_lab
