// What is measured on a trained network.
#pragma once

#include <memory>

#include "painting/loss_network.h"
#include "painting/losses.h"
#include "painting/settings.h"
#include "painting/style_network.h"
#include "results.h"

namespace gesso {

/// Judges pictures by the losses of a training.
class LossJudge {
 public:
  /// By the loss network, style picture (the first one) and weights of `settings`.
  explicit LossJudge(const TrainSettings& settings);

  /// The losses of outputs (N, 3, H, W) for the photographs of the same shape: means over the pictures, each
  /// judged by itself, so that they do not depend on how pictures are batched.
  LossValues losses(const Tensor& outputs, const Tensor& photographs) const;
  /// How far a is from b in the loss network: the mean of each picture's content_loss.
  double feature_distance(const Tensor& a, const Tensor& b) const;
  /// The most memory that one training step of `network` on a batch of `shape` takes beyond the weights, in
  /// megabytes. Leaves changed running statistics behind.
  double step_megabytes(StyleNetwork& network, const Shape& shape) const;

 private:
  LossWeights weights_;
  std::unique_ptr<LossNetwork> network_;
  StyleTarget target_;
};

/// The network's outputs for photographs (N, 3, H, W), `batch` at a time, in the mode it is in. A last batch
/// that is not full is filled up with the first photographs.
Tensor repaint(StyleNetwork& network, const Tensor& photographs, Index batch);

/// Leak between neighbours, in the mode the network is in: the first four photographs pass through it in one
/// batch, then again with the last of them replaced by the first. Returns the mean |change| of the others'
/// outputs.
double leak(StyleNetwork& network, const Tensor& photographs);

/// The contrasts that are tried: 0.25, 0.5, 1, 2.
const std::vector<double>& contrasts();

/// One measure for each of contrasts(), in eval mode.
std::vector<ContrastMeasure> measure_contrasts(StyleNetwork& network, const LossJudge& judge,
                                               const Tensor& photographs);

class QualityJudge;

/// Fills test, quality, test_train_mode, roughness, scale_change, leak, leak_eval and peak_megabytes of `run` for its network. `photographs`
/// are square.
void measure(StyleNetwork& network, const LossJudge& judge, const QualityJudge& quality,
             const Tensor& photographs, ComparisonRun& run);

}  // namespace gesso
