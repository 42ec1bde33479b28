// VGG16 and VGG19 as loss networks (Simonyan and Zisserman 2014, arXiv 1409.1556), under torchvision's names:
// 3x3 convolutions with zero padding and ReLU, in blocks between which 2x2 maxima halve the picture.
// "relu3_2" is the result of block 3's second convolution. Trained on ImageNet, they carry more of what
// people see in a style than any filters that can be written down (Gatys et al. 2015, Johnson et al. 2016).
#pragma once

#include <string>
#include <vector>

#include "gesso/core/files/safetensors.h"
#include "gesso/core/generator.h"
#include "loss_network.h"

namespace gesso {

struct VggOptions {
  int depth = 16;                  ///< 16 or 19
  std::string content_layer = {};  ///< "relu1_1" ... "relu5_4"; empty: relu2_2 for 16, relu4_2 for 19
};

/// One convolution with its ReLU.
struct VggLayer {
  std::string name;                     ///< "relu3_2"
  std::string key;                      ///< of its parameters: "features.12", then ".weight" and ".bias"
  Index in, out;                        ///< channels
  bool pooled;                          ///< whether its input is pooled first
  bool style = false, content = false;  ///< whether it is a tap

  Shape weight_shape() const { return {out, in, 3, 3}; }
};

/// The layers down to the deepest tap, in order. Style taps are relu1_2, 2_2, 3_3, 4_3 of VGG16 (Johnson et
/// al. 2016) and relu1_1, 2_1, 3_1, 4_1, 5_1 of VGG19 (Gatys et al. 2015). Throws ArgumentError for another
/// depth and for a content layer that the network does not have.
std::vector<VggLayer> vgg_layers(const VggOptions& options);

/// The parameters of those layers from a file; others in it, such as the classifier's, are left alone. Weights as
/// Caffe has them are recognised and converted: see caffe_vgg.h. Throws FileError, naming the file and the key, when one is missing, has another shape or cannot be read.
NamedTensors load_vgg_weights(const std::string& path, const VggOptions& options);

/// Parameters for measurements and tests: normal with variance 2 / fan-in, which keeps the size of features
/// (He et al. 2015), and no bias.
NamedTensors random_vgg_weights(const VggOptions& options, Generator& rng);

class Vgg : public LossNetwork {
 public:
  /// Throws ArgumentError, naming the key, unless `weights` has every parameter of vgg_layers(options) in its
  /// shape.
  Vgg(const VggOptions& options, const NamedTensors& weights);

  std::vector<Tap> taps(const Tensor& pictures) const override;
  std::vector<Tensor> content(const Tensor& pictures) const override;
  Index min_size() const override { return 32; }

 private:
  struct Layer {
    VggLayer layer;
    Tensor weight, bias;
  };
  std::vector<Tap> run(const Tensor& pictures, std::size_t layers) const;

  std::string name_;  // "VGG16"
  std::vector<Layer> layers_;
  std::size_t content_layers_ = 0;  // how many there are down to the content tap
};

}  // namespace gesso
