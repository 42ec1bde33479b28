// The experiments of demonstrations.h, told in words.
#pragma once

#include <vector>

#include "lab.h"

namespace norm_lab {

/// One section for each. `x` and `upstream` as in Example.
std::vector<Section> demonstrate(const gesso::Tensor& x, const gesso::Tensor& upstream);

}  // namespace norm_lab
