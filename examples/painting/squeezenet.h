// SqueezeNet as loss network (Iandola et al. 2016, arXiv 1602.07360), under torchvision's names. Trained on
// ImageNet, it carries what VGG carries of a style for a hundredth of the weights: down to its deepest tap
// 0.24 million.
//
//                1.0                1.1                size
//     conv1      7x7, 96 channels   3x3, 64 channels   1/2
//     fire2, 3   16 to 64 + 64      16 to 64 + 64      1/4
//     fire4      32 to 128 + 128    32 to 128 + 128    1/4 (1.0) or 1/8 (1.1)
//     fire5      32 to 128 + 128    32 to 128 + 128    1/8
//     fire6, 7   48 to 192 + 192    48 to 192 + 192    1/8 (1.0) or 1/16 (1.1)
//     fire8, 9   64 to 256 + 256    64 to 256 + 256    1/8 and 1/16 (1.0) or 1/16 (1.1)
//
// A fire module "squeezes" its input to a few channels by a 1x1 convolution with ReLU, from which a 1x1 and a
// 3x3 convolution, side by side, make its result.
#pragma once

#include <string>
#include <vector>

#include "gesso/autograd/shape_ops.h"
#include "loss_network.h"
#include "torchvision_weights.h"

namespace gesso {

struct SqueezeNetOptions {
  int minor = 0;                        ///< 0 for SqueezeNet 1.0, 1 for 1.1
  std::string content_layer = "fire5";  ///< "conv1", "fire2" to "fire6"
  int fires = 6;                        ///< down to fire6 or, for those who look at features(), to fire9
};

/// conv1 or one fire module.
struct SqueezeNetLayer {
  std::string name;         ///< "conv1", "fire2", ...
  std::string key;          ///< of its parameters: "features.3"
  Index in, squeezed, out;  ///< channels; squeezed is 0 for conv1; out is that of both halves together
  Index kernel;             ///< of conv1; of a fire module's larger half, 3
  bool pooled;              ///< whether 3x3 maxima halve its input first
  bool style, content;      ///< whether it is a tap
};

/// The layers in order. Style taps are conv1 and fire2, 3, 4 and 6. Throws ArgumentError for another version,
/// content layer or number of fire modules.
std::vector<SqueezeNetLayer> squeezenet_layers(const SqueezeNetOptions& options);

/// Names and shapes of a layer's parameters: of conv1 or, of a fire module, of squeeze, expand1x1 and
/// expand3x3, weight and bias by turns.
ParameterShapes squeezenet_layer_parameters(const SqueezeNetLayer& layer);
/// Those of all layers.
ParameterShapes squeezenet_parameters(const SqueezeNetOptions& options);

/// y = max of 3x3 windows, every second pixel, with a last window that hangs over where sizes leave a rest
/// (PyTorch's ceil_mode): sizes, of at least 2, are halved and rounded down.
Tensor squeezenet_pool(const Tensor& x);

/// The result of a layer for x, convolve(k, x) being its k-th convolution with the ReLU: conv1's only one or, of a
/// fire module, squeeze, expand1x1 and expand3x3.
template <class Convolve>
Tensor squeezenet_layer(const SqueezeNetLayer& layer, const Tensor& x, Convolve convolve) {
  const Tensor first = convolve(0, layer.pooled ? squeezenet_pool(x) : x);
  return layer.squeezed == 0 ? first : concat({convolve(1, first), convolve(2, first)}, 1);
}

/// They as a file holds them; see load_torchvision_weights().
NamedTensors load_squeezenet_weights(const std::string& path, const SqueezeNetOptions& options);

/// Taps: the picture's own colours (style alone), then those of squeezenet_layers(), each after its ReLU;
/// then, for style, all layers of the picture at half its size, where the same layers see strokes twice as
/// large (undefined for pictures below twice min_size()). Pictures are padded by reflection instead of zeros,
/// and before conv1 too: a dark frame around every picture would be part of each style.
class SqueezeNet : public LossNetwork {
 public:
  /// Throws ArgumentError, naming the key, unless `weights` has every one of squeezenet_parameters(options)
  /// in its shape.
  SqueezeNet(const SqueezeNetOptions& options, const NamedTensors& weights);

  std::vector<Tap> taps(const Tensor& pictures) const override;
  std::vector<Tensor> content(const Tensor& pictures) const override;
  Index min_size() const override { return 32; }

  /// The results of all layers, whether they are taps or not, in order.
  std::vector<Tensor> features(const Tensor& pictures) const;
  const std::vector<SqueezeNetLayer>& layers() const { return layers_; }

 private:
  std::vector<Tensor> run(const Tensor& pictures, std::size_t layers) const;

  std::string name_;  // "SqueezeNet 1.0"
  std::vector<SqueezeNetLayer> layers_;
  std::vector<std::vector<Tensor>> parameters_;  // of each layer, weights and biases by turns
  std::size_t content_layers_ = 0;               // how many there are down to the content tap
};

}  // namespace gesso
