// The loss network's interface: a fixed function from pictures to features, at several depths. Style is
// measured by statistics of the style taps, content by the values of the content taps.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gesso/core/tensor.h"

namespace gesso {

/// The features of one depth of a loss network. Either may be undefined: that depth has none.
struct Tap {
  Tensor style;    ///< (N, C, H, W): its statistics over H x W are compared with the style picture's
  Tensor content;  ///< (N, C, H, W), compared value by value with the photograph's
};

/// A loss network. Its filters are fixed: gradients pass through it to the picture only.
class LossNetwork {
 public:
  virtual ~LossNetwork() = default;
  /// The taps of pictures (N, 3, H, W) in [0, 1], shallow to deep; differentiable. Always the same number of
  /// them: those for which the pictures are too small are left undefined.
  virtual std::vector<Tap> taps(const Tensor& pictures) const = 0;
  /// The content features of taps() alone, in the same order: nothing deeper is computed.
  virtual std::vector<Tensor> content(const Tensor& pictures) const = 0;
  /// The smallest height and width that taps() can take.
  virtual Index min_size() const = 0;
};

/// The names that LossNetworkOptions takes.
const std::vector<std::string>& known_loss_networks();

/// Which loss network to train with.
struct LossNetworkOptions {
  /// "distilled": a small network that learned from one that was trained on ImageNet, see
  /// train-loss-network; "filters": the analytic filter bank, nothing learned; "squeezenet" (1.0),
  /// "squeezenet1_1", "vgg16", "vgg19": see squeezenet.h and vgg.h.
  std::string name = "distilled";
  /// A file of weights, .pth or safetensors; filters need none. If empty, distilled uses the one that comes with gesso.
  std::string weights = {};
  /// The layer whose values are the content: "relu3_3" of VGG, "fire5" of the others, say. Empty: the
  /// network's own choice. The filter bank has its own.
  std::string content_layer = {};

  /// Throws ArgumentError for an unknown name or layer, and for weights that are missing, or given where none
  /// are used.
  void check() const;
};

/// The loss network that `options` name. Throws as check() does, and FileError when the weights cannot be
/// read or are not this network's.
std::unique_ptr<LossNetwork> make_loss_network(const LossNetworkOptions& options);

}  // namespace gesso
