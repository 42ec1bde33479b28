// What a training will take of the memory, known before it starts.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "any_style_training.h"
#include "settings.h"

namespace gesso {

/// "1.5 GB"
std::string gigabytes(double bytes);

/// The most bytes that tensors took while `work` ran, beyond those that they took before.
double peak_memory_of(const std::function<void()>& work);

/// Bytes of memory that a training takes.
struct MemoryNeed {
  double steps = 0;  ///< each of them: grows with batch and crop
  double start = 0;  ///< before the first: grows with the style picture's size; without one, with the crop
  double kept = 0;   ///< all the time: parameters, pictures, the program

  double total() const { return std::max(steps, start) + kept; }
  /// ", in about 1.5 GB of memory"; nothing for a training that takes next to nothing.
  std::string in_about() const;
};

/// The need of a process that trains `model` by Adam and keeps pictures of so many bytes. What the memory pool keeps for
/// tensors of other sizes is added to `steps` and `start`.
MemoryNeed memory_of_process(double steps, double start, double pictures, const Module& model);

/// What a training with these settings takes, from a smaller one (activations are nearly all of it, and grow with the
/// pixels); nothing for one that takes next to nothing. Throws FileError for a style picture more than 64 times as long as
/// wide, and as loading the pictures does.
MemoryNeed memory_for_training(const TrainSettings& settings, const std::vector<std::string>& photographs);
MemoryNeed memory_for_training(const AnyStyleSettings& settings);

/// What of the settings decides how much a training takes, and how the program's options are called.
struct StepSize {
  Index batch = 1, crop = 1;     ///< crop 0: there is no such option
  Index style_size = 0;          ///< 0: there is no such option
  bool styles_in_steps = false;  ///< each crop comes with a style picture
  const char* batch_option = "--batch";
  Index least_batch = 1;
  Index crop_step = 4;  ///< crops are multiples of it
};

/// Throws UsageError, naming what fits, unless there is that much memory.
void require_memory_for_training(const StepSize& step, const MemoryNeed& need);

}  // namespace gesso
