// What the training of a loss network will take of the memory, known before it starts.
#pragma once

#include <string>
#include <vector>

#include "training.h"

namespace gesso {

/// Bytes of memory: the pictures, all of which are kept, and what a step or the measuring before the first one takes (from
/// those of a smaller training). Throws as LossNetworkTraining does.
double memory_for_loss_network(const LossNetworkSettings& settings, const std::vector<std::string>& files);

}  // namespace gesso
