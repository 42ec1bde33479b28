// What normalization does, as experiments that return numbers. norm-lab prints them; tests assert them. All
// take x of shape (N, C, H, W), float64, with N >= 2 and H W >= 2, and use plain layers: gamma 1, beta 0.
#pragma once

#include <string>
#include <vector>

#include "gesso/core/tensor.h"

namespace norm_lab {

/// Sample 0 of x becomes a x + b (another contrast and brightness); how far do its results move?
struct Invariance {
  double a, b;
  double instance_change;  ///< largest |IN(a x + b) - IN(x)|
  /// The same from the formula: IN(a x + b) = IN(x) sqrt((variance + eps) / (variance + eps / a^2)), a > 0.
  double from_eps;
  double batch_change;  ///< largest |BN(batch with a x + b) - BN(batch)| in sample 0
};
Invariance invariance(const gesso::Tensor& x, double a, double b);

/// The last sample becomes 3 x + 2; how far do the results of sample 0, which is as before, move?
struct Neighbours {
  double instance_change;
  double batch_change;
};
Neighbours change_a_neighbour(const gesso::Tensor& x);

/// The gradient of instance norm, in one plane.
struct Orthogonality {
  double size;        ///< |dx|
  double along_one;   ///< sum of dx
  double along_xhat;  ///< sum of dx x-hat
  /// What eps leaves along x-hat, from the formula: inv_std sum(g x-hat) eps / (variance + eps).
  double from_eps;
  double upstream_along_one, upstream_along_xhat;  ///< the same sums before the projections: of inv_std g
};
std::vector<Orthogonality> orthogonality(const gesso::Tensor& x, const gesso::Tensor& upstream);

/// A convolution with a bias, then `norm`, then a loss: sizes of the convolution's gradients.
struct BiasGradient {
  std::string norm;
  double weight;  ///< largest |d loss / d weight|
  double bias;    ///< largest |d loss / d bias|
};
/// For no norm, instance norm, and batch norm in training and evaluation.
std::vector<BiasGradient> bias_gradients(const gesso::Tensor& x);

/// What batch norm makes of one sample among strangers.
struct Company {
  int batch_size;
  /// Root mean square deviation of its results (at most 8 x 8 pixels) over 200 random batches.
  double spread;
};
struct BatchOfOne {
  double to_instance;              ///< largest |BN(x) - IN(x)| for a batch of one sample
  std::vector<Company> companies;  ///< of the sample in batches of 1, 2, 4, ... 32
  std::string refusal;             ///< what batch norm says to a single value per channel
};
BatchOfOne batch_of_one(const gesso::Tensor& x);

/// A batch norm that has seen the same batch `steps` times in training.
struct TrainAgainstEval {
  int steps;
  double running_mean, running_var;  ///< of channel 0
  double batch_difference;           ///< largest |train result - eval result|
  double instance_difference;        ///< of an instance norm
};
struct TrainAgainstEvalAll {
  double mean, unbiased_variance;  ///< of channel 0 of the batch: what the running ones tend to
  std::vector<TrainAgainstEval> rows;
};
TrainAgainstEvalAll train_against_eval(const gesso::Tensor& x);

}  // namespace norm_lab
