// What the training of a loss network will take of the memory, known before it starts.
#pragma once

#include <string>
#include <vector>

#include "painting/memory_need.h"
#include "training.h"

namespace gesso {

/// Bytes of memory that it takes: the most of its start, its tests and its steps, from those of a smaller one, and the
/// pictures, all of which it keeps. Throws as LossNetworkTraining does.
MemoryNeed memory_for_loss_network(const LossNetworkSettings& settings,
                                   const std::vector<std::string>& files);

}  // namespace gesso
