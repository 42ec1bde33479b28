// What a training will take of the memory, known before it starts.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "any_style_training.h"
#include "settings.h"

namespace gesso {

/// "1.5 GB"
std::string gigabytes(double bytes);

/// ", in about 1.5 GB of memory": what a program says of it beforehand; nothing for 0, which is not known.
std::string in_about(double bytes);

/// The most bytes that tensors took while `work` ran, beyond those that they took before.
double peak_memory_of(const std::function<void()>& work);

/// Bytes of memory that each step of a training with these settings takes, from a step on smaller crops and batches
/// (activations are nearly all of it, and grow with the pixels); 0 where crops and batches are small anyway. Throws
/// FileError for a style picture more than 64 times as long as wide, and as loading the pictures does.
double memory_for_training(const TrainSettings& settings, const std::vector<std::string>& photographs);
double memory_for_training(const AnyStyleSettings& settings);

/// Batch and crop of a training, and how the program's options for them are called.
struct StepSize {
  Index batch = 1, crop = 1;
  const char* batch_option = "--batch";
  Index least_batch = 1;
  Index crop_step = 4;  ///< crops are multiples of it
};

/// Throws UsageError, naming the batch or the crop that fits, unless there are `need` bytes of memory.
void require_memory_for_training(const StepSize& step, double need);

}  // namespace gesso
