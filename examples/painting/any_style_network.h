// One network for every style: a style network whose gamma and beta are predicted from the style picture.
// Ghiasi et al. 2017 (arXiv 1705.06830). Adaptive instance norm (Huang and Belongie 2017) is the special case
// where they are the style's own mean and deviation.
#pragma once

#include <string>
#include <vector>

#include "gesso/layers/linear.h"
#include "gesso/layers/module.h"
#include "squeezenet.h"
#include "style_network.h"

namespace gesso {

struct AnyStyleOptions {
  int width = 16;    ///< of the style network: see StyleNetworkOptions
  int blocks = 4;    ///< the same
  int manners = 64;  ///< rows of gamma and beta that every style is a mix of
  int hidden = 128;  ///< units in the middle of the predictor
};

/// A style picture becomes numbers: mean and standard deviation of each style feature of an encoder, the
/// SqueezeNet of the distilled loss network, whose weights are part of the network's state. Two linear layers
/// with a ReLU between them turn these into a mix of `manners`, rows of gamma and beta in the conditional
/// instance norms of a StyleNetwork. So a style is a point, as in any network of several styles.
///
/// Before these rows the network has one that is part of every style, with weight 1: what all have in common.
class AnyStyleNetwork : public Module {
 public:
  /// Throws ArgumentError unless manners and hidden are 1 to 4096 and the others are as StyleNetwork
  /// requires. Its encoder's weights are 0, to be loaded: load_state_dict() or load_encoder().
  AnyStyleNetwork(const AnyStyleOptions& options, Generator& rng);

  /// For a new network: takes over the encoder's weights from a file of train-loss-network. Throws as
  /// load_squeezenet_weights() does.
  void load_encoder(const std::string& file);

  /// The numbers that the predictor gets, (N, numbers), before they are shifted and scaled. Not
  /// differentiable. Throws ArgumentError unless pictures are (N, 3, H, W) with H and W of at least
  /// min_style_size.
  Tensor statistics(const Tensor& pictures) const;
  /// From now on statistics are shifted and scaled so that each number has mean 0 and deviation 1 over those of
  /// some pictures, `statistics`: for a new network, once.
  void measure_styles(const std::vector<Tensor>& statistics);

  /// The weight of each row for style pictures (N, 3, H, W): (N, 1 + manners). Differentiable with respect to
  /// the predictor's parameters. The picture's size decides how large its strokes are; training shows
  /// pictures of about AnyStyleSettings::style_size.
  Tensor mix_of(const Tensor& pictures);

  /// Makes network() paint in the style of `picture` (1, 3, H, W). Records no graph.
  void set_style(const Tensor& picture);
  /// Photographs (N, 3, H, W), each painted in its row of `mix`, or all in a single one.
  Tensor paint(const Tensor& photographs, const Tensor& mix);

  /// The network that paints, as set_style() or paint() last told it to.
  StyleNetwork& network() { return network_; }
  const AnyStyleOptions& options() const { return options_; }
  /// Of style pictures: the encoder looks at them at half their size too.
  static constexpr Index min_style_size = 64;

 private:
  AnyStyleOptions options_;
  NamedTensors encoder_weights_;  // buffers
  SqueezeNet encoder_;
  StyleNetwork network_;
  Linear hidden_, manners_;
  Tensor mean_, deviation_;  // (1, numbers)
};

}  // namespace gesso
