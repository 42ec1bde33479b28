// What all normalization layers have in common. Read core/normalization/plain.h first: it defines what they
// compute.
#pragma once

#include <optional>
#include <ostream>
#include <vector>

#include "gesso/autograd/normalization.h"
#include "gesso/core/normalization/axes.h"
#include "gesso/layers/fused_activation.h"

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

/// What a layer does to an x of a given shape, in the terms of core/normalization/axes.h; for looking inside.
struct NormalizationPart {
  NormalizationAxes axes;
  Tensor gamma, beta;         ///< axes.affine_size() numbers each, or undefined
  RunningStatistics running;  ///< defined if it normalizes with running statistics
};

/// The base of InstanceNorm, BatchNorm, GroupNorm, LayerNorm, RMSNorm and their relatives. Each has a
/// forward() of its own, which takes an x without the batch dimension where the layer says so.
class NormalizationLayer : public FusedActivation {
 public:
  /// Which statistics forward() uses now. Each layer has its rule (PyTorch's), in which train() and eval()
  /// may play a part; set_statistics() overrides it.
  Statistics statistics() const { return forced_ ? *forced_ : default_statistics(); }
  /// From now on forward() uses these, in training and evaluation; with {} the layer's rule again. Throws
  /// ArgumentError for statistics that the layer does not have.
  void set_statistics(std::optional<Statistics> statistics);

  /// What is added to the variance of an x of this dtype. (Only RMSNorm's may depend on it.)
  double eps(DType of_x = float32) const { return eps_ ? *eps_ : machine_epsilon(of_x); }

  // ---- for looking inside (inspect_normalization)

  /// `x` with a batch dimension: as it is, or with a 1 in front for an unbatched sample. Throws ArgumentError
  /// for a shape that the layer does not take.
  virtual Shape batched_shape(const Shape& x) const = 0;
  /// The normalizations whose results forward() adds up for an x of this batched shape: one, except for
  /// BatchInstanceNorm.
  virtual std::vector<NormalizationPart> parts(const Shape& batched) const = 0;

 protected:
  /// Without eps: the machine epsilon of x's dtype.
  explicit NormalizationLayer(std::optional<double> eps) : eps_(eps) {}

  /// x in its batched_shape().
  Tensor batched(const Tensor& x) const;
  /// y in the shape of x, which may lack the batch dimension.
  static Tensor unbatched(const Tensor& y, const Tensor& x);
  /// (1, ...) for (...)
  static Shape with_batch(const Shape& sample);

  /// The layer's rule.
  virtual Statistics default_statistics() const { return Statistics::per_instance; }
  /// Throws ArgumentError unless the layer has such statistics.
  virtual void require_statistics(Statistics statistics) const;

  // pieces of extra_repr()
  std::string eps_text() const;         ///< ", eps=1e-05", or ", eps=none"
  std::string statistics_text() const;  ///< ", relu=true, statistics=per_instance"

 private:
  std::optional<Statistics> forced_;
  std::optional<double> eps_;
};

}  // namespace gesso
