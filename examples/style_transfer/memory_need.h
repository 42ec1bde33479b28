// What a training will take of the memory, known before it starts.
#pragma once

#include <string>
#include <vector>

#include "painting/settings.h"

namespace gesso {

/// "1.5 GB"
std::string gigabytes(double bytes);

/// Bytes of memory that each step of a training with these settings takes, from a step on smaller crops and batches
/// (activations are nearly all of it, and grow with the pixels); 0 where crops and batches are small anyway. Throws FileError for a style picture more than 64 times as long as wide, and
/// as loading the pictures does.
double memory_for_training(const TrainSettings& settings, const std::vector<std::string>& photographs);

/// Throws UsageError, naming the batch or the crop that fits, unless there are `need` bytes of memory.
void require_memory_for_training(const TrainSettings& settings, double need);

}  // namespace gesso
