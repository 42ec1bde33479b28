// What the normalization layers of a network see and do during training, layer by layer and step by step.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gesso/layers/normalization/layer.h"

namespace gesso {

/// One layer in one step. "Per channel" numbers are means over the samples of the batch; group norm has one
/// mean and variance per group instead, layer norm one in all.
struct NormalizationRecord {
  Index step = 0;
  std::string layer;       ///< its name in the network, e.g. "res1.in1"
  std::string type;        ///< "InstanceNorm2d"
  std::string statistics;  ///< "per_instance", "per_batch" or "running"
  /// Per channel: what the layer normalized with (for BatchInstanceNorm2d, the batch part).
  std::vector<double> mean, variance;
  /// Per channel: its parameters before the step, empty if it has none. Layer norm's are averaged over their
  /// elements.
  std::vector<double> gamma, beta;
  /// Per channel: what came out (after the relu, if that is part of the layer).
  std::vector<double> output_mean, output_variance;
  /// The share of outputs <= 0, which the relu in or after the layer closes.
  double closed = 0;
  double dead = 0;  ///< the share of channels that are closed everywhere in this batch
  /// Norms of the gradients; NaN (null in the file) where none arrived.
  double output_gradient = 0, input_gradient = 0, gamma_gradient = 0, beta_gradient = 0;
};

struct NormalizationRecorderOptions {
  Index every = 1;       ///< record steps `every`, 2 `every`, ...
  Index first_step = 1;  ///< larger for a resumed run: the file's lines before it stay, the others go
};

/// Writes a JSON object per normalization layer and recorded step to a file, with the names above.
///
///     NormalizationRecorder recorder(network, "run/normalization.jsonl", {.every = 10});
///     for (Index step = 0; step < 1000; ++step) {
///       optimizer.zero_grad();
///       loss_of(network(batch)).backward();
///       recorder.end_step();  // before the optimiser moves the parameters
///       optimizer.step();
///     }
///
/// Only forwards that autograd records count, and the last one of each step; forwards under a NoGradGuard
/// leave no trace. It works through hooks that its destructor removes: a network without a recorder pays
/// nothing. The network must outlive the recorder.
class NormalizationRecorder {
 public:
  /// Throws ArgumentError for options below 1, FileError if the file cannot be written.
  NormalizationRecorder(Module& network, const std::string& path,
                        const NormalizationRecorderOptions& options = {});
  ~NormalizationRecorder();
  NormalizationRecorder(const NormalizationRecorder&) = delete;
  NormalizationRecorder& operator=(const NormalizationRecorder&) = delete;

  /// Ends a step, after backward(): writes what it recorded. Throws FileError when the disk is full.
  void end_step();

 private:
  struct Layer;
  struct File;
  bool recording() const { return step_ % every_ == 0; }

  Index every_, step_;
  std::vector<std::shared_ptr<Layer>> layers_;
  std::unique_ptr<File> file_;
};

/// All records of a file, in order. A last line that a kill cut short is left out; a missing file holds none.
/// Throws FileError, naming file and line, for any other line that is not a record.
std::vector<NormalizationRecord> read_normalization_records(const std::string& path);

}  // namespace gesso
