// What all normalization layers have in common.
#pragma once

#include <optional>
#include <ostream>
#include <vector>

#include "gesso/autograd/normalization.h"
#include "gesso/core/normalization/normalization.h"
#include "gesso/layers/module.h"

namespace gesso {

/// Which mean and variance a layer normalizes with.
enum class Statistics {
  per_instance,  ///< of each sample by itself: its planes, groups of channels, or all of it
  per_batch,     ///< of each channel over all samples of the batch
  running,       ///< of each channel, collected over earlier batches
};

/// "per_instance", "per_batch" or "running"
const char* name_of(Statistics statistics);
std::ostream& operator<<(std::ostream& out, Statistics statistics);

/// What a layer does to an x of a given shape, in the words of core/normalization/normalization.h; for looking inside.
struct NormalizationPart {
  NormalizationAxes axes;
  Tensor gamma, beta;         ///< axes.affine_size() numbers each, or undefined
  RunningStatistics running;  ///< defined if it normalizes with running statistics
};

/// The base of InstanceNorm, BatchNorm, GroupNorm, LayerNorm and their relatives.
class NormalizationLayer : public Module {
 public:
  /// Which statistics forward() uses now. Each layer has its rule (PyTorch's), in which train() and eval()
  /// may play a part; set_statistics() overrides it.
  Statistics statistics() const { return forced_ ? *forced_ : default_statistics(); }
  /// From now on forward() uses these, in training and evaluation; with {} the layer's rule again. Throws
  /// ArgumentError for statistics that the layer does not have.
  void set_statistics(std::optional<Statistics> statistics);

  /// For the frames of a film, one at a time: from now on forward() normalizes by an average over this and
  /// earlier frames, average = keep average + (1 - keep) own, which begins with the first frame's own
  /// statistics. What differs from frame to frame by noise then changes the picture less. With {} no longer.
  /// Throws ArgumentError unless 0 <= keep < 1; forward() does unless the layer is an instance norm that sees
  /// one sample.
  void smooth_statistics(std::optional<double> keep);

  double eps() const { return eps_; }
  /// Whether the result is cut off at 0: the relu that follows most normalizations, in the same pass over
  /// memory.
  bool has_relu() const { return relu_; }

  /// x by the chosen statistics. x may lack the batch dimension where the layer says so.
  Tensor forward(const Tensor& x) final;

  // ---- for looking inside (inspect_normalization)

  /// `x` with a batch dimension: as it is, or with a 1 in front for an unbatched sample. Throws ArgumentError
  /// for a shape that the layer does not take.
  virtual Shape batched_shape(const Shape& x) const = 0;
  /// The normalizations whose results forward() adds up for an x of this batched shape: one, but for
  /// BatchInstanceNorm.
  virtual std::vector<NormalizationPart> parts(const Shape& batched) const = 0;

 protected:
  NormalizationLayer(double eps, bool relu) : eps_(eps), relu_(relu) {}

  /// forward() of an x of batched shape.
  virtual Tensor normalize(const Tensor& x) = 0;
  /// The layer's rule.
  virtual Statistics default_statistics() const { return Statistics::per_instance; }
  /// Throws ArgumentError unless the layer has such statistics.
  virtual void require_statistics(Statistics statistics) const;
  NormalizeOptions options() const { return {.eps = eps_, .relu = relu_}; }
  /// (1, ...) for (...)
  static Shape with_batch(const Shape& sample);
  // pieces of extra_repr()
  std::string eps_text() const;         ///< ", eps=1e-05"
  std::string statistics_text() const;  ///< ", relu=true, statistics=per_instance"

 private:
  Tensor normalize_smoothly(const Tensor& x);

  std::optional<Statistics> forced_;
  std::optional<double> keep_;
  RunningStatistics average_;  // over frames, while keep_ is there
  double eps_;
  bool relu_;
};

/// Calls smooth_statistics(keep) of every normalization layer in `network` that normalizes each sample by its
/// own statistics.
void smooth_statistics(Module& network, std::optional<double> keep);

}  // namespace gesso
