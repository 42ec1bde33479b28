// A small VGG-like stack of our own as loss network: 3x3 convolutions with ReLU in stages, between which 2x2
// means halve the picture. train-loss-network (examples/loss_network/) trains it to tell photographs apart
// and writes its file, with batch norm folded into the convolutions.
#pragma once

#include <string>
#include <vector>

#include "gesso/core/files/safetensors.h"
#include "loss_network.h"

namespace gesso {

struct TrainedStackOptions {
  int first_style_stage = 1;  ///< this stage and the deeper ones are style taps
  int content_stage = 2;      ///< the stage whose values are the content; 0: none
  /// Style taps are taken from the picture at this many sizes, each half the one before: the same stages then
  /// see structure twice as large. Scales below min_size() give none.
  int scales = 1;
};

class TrainedStack : public LossNetwork {
 public:
  /// `weights`: convS_I.weight (out, in, 3, 3) and convS_I.bias (out) for stage S = 1, 2, ... and convolution
  /// I = 1, 2, ... of it. The tap of a stage is the ReLU of its last convolution. Throws ArgumentError,
  /// naming the key, for a parameter that is missing, left over or of a wrong shape, and for a stage out of
  /// range.
  explicit TrainedStack(const NamedTensors& weights, const TrainedStackOptions& options = {});

  std::vector<Tap> taps(const Tensor& pictures) const override;
  std::vector<Tensor> content(const Tensor& pictures) const override;
  Index min_size() const override { return 32; }
  int stages() const { return static_cast<int>(stages_.size()); }

 private:
  struct Convolution {
    Tensor weight, bias;
  };
  std::vector<Tap> run(const Tensor& pictures, int stages) const;

  TrainedStackOptions options_;
  std::vector<std::vector<Convolution>> stages_;
};

/// The parameters in a file that train-loss-network wrote. Throws FileError, naming the file, when it cannot
/// be read or holds something else.
NamedTensors load_stack_weights(const std::string& path);

/// Scales channels so that each has mean 1 over `pictures` (Gatys et al. 2015, "normalized" VGG): each
/// convolution's outputs are divided by their means and the next one's inputs multiplied, which changes
/// nothing else, as ReLU and means are homogeneous. Channels that are always 0 stay as they are.
NamedTensors normalize_channels(const NamedTensors& weights, const Tensor& pictures);

}  // namespace gesso
