// How good pictures are, by measures that no training of a comparison reduces.
#pragma once

#include <string>

#include "gesso/core/tensor.h"
#include "measures.h"
#include "painting/settings.h"
#include "results.h"

namespace gesso {

/// Judges pictures by their pixels and by a loss network that trained nothing here: a lower loss may only mean that a
/// network found what its own loss network overlooks.
class QualityJudge {
 public:
  /// By the style picture (the first one) of `settings`, which are those of the trainings. The network is "distilled",
  /// whose filters were learned from photographs, or "filters" where the trainings use that one: both come with gesso.
  /// It compares style by the statistic that the trainings do not use.
  explicit QualityJudge(const TrainSettings& settings);

  /// Which network judges.
  const std::string& network() const { return network_; }

  /// Of paintings (N, 3, H, W) of the photographs of the same shape, H and W of at least 32: means over the pictures.
  PictureQuality judge(const Tensor& paintings, const Tensor& photographs) const;

 private:
  std::string network_;
  LossJudge losses_;
  double weave_of_style_;
};

}  // namespace gesso
