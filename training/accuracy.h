// How often a classifier is right.
#pragma once

#include <vector>

#include "gesso/core/tensor.h"

namespace gesso {

/// The share of the rows of `logits` (N, classes) whose largest number is at the row's label, 0 to 1. Throws
/// ArgumentError unless there are N labels, at least one.
double accuracy(const Tensor& logits, const std::vector<Index>& labels);

}  // namespace gesso
