// What the experiments found: a list of trainings for each.
#pragma once

#include <string>
#include <vector>

#include "compare_norms/conv_stack.h"

namespace gesso {

/// A training of a stack of convolutions: its conditions, and what came of it.
struct StackRun {
  std::string name;  ///< "group-batch4-seed2"
  ConvStackOptions network = {};
  StackTraining training = {};
  StackResult result = {};
};

struct ExperimentResults {
  std::vector<StackRun> batch_size = {}, learning_rate = {}, depth = {}, place = {}, constants = {};
};

}  // namespace gesso
