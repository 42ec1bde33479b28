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

/// How the loss and its gradient change along the gradient (GradientProbe), at some steps of a training.
struct LandscapeRun {
  std::string name;  ///< "batch-seed2"
  ConvStackOptions network = {};
  StackTraining training = {};
  /// A number for each step that was probed; `step` counts from 1.
  std::vector<double> step = {}, loss = {}, lowest = {}, highest = {};
  std::vector<double> gradient_norm = {}, gradient_change = {}, smoothness = {};
  /// Norms of the gradients of the convolutions' weights, first to last, at the first and the last step.
  std::vector<double> first_gradients = {}, last_gradients = {};
  Index diverged_at = 0;  ///< the step, counted from 1, whose loss was not finite; 0: none was
};

/// The lengths of the weights in a training with a constant learning rate; means over the convolutions.
struct GrowthRun {
  std::string name;       ///< "batch-Adam-seed2"
  std::string optimizer;  ///< "SGD", "Adam"
  ConvStackOptions network = {};
  StackTraining training = {};
  /// A number for each step that was recorded; `step` counts from 1.
  std::vector<double> step = {}, loss = {};
  std::vector<double> growth = {};          ///< |w| of that at the start
  std::vector<double> effective_rate = {};  ///< lr / |w|^2
  std::vector<double> along = {};           ///< |<w, g>| / (|w| |g|), g the gradient
  Index diverged_at = 0;                    ///< as in LandscapeRun
};

struct ExperimentResults {
  std::vector<StackRun> batch_size = {}, learning_rate = {}, depth = {}, place = {}, constants = {};
  std::vector<LandscapeRun> landscape = {};
  std::vector<GrowthRun> weight_growth = {};
};

}  // namespace gesso
