// VGG as its authors published it, for Caffe, and as many files for PyTorch still hold it: pictures are blue, green,
// red from 0 to 255, less a mean, where torchvision's are red, green, blue in ImageNet's mean and deviation. Weights
// of the one are worthless with pictures of the other, and nothing but the numbers tells.
#pragma once

#include <string>

#include "gesso/core/files/weights.h"

namespace gesso {

/// Whether the file holds VGG as Caffe has it. It does if it has Caffe's names ("conv1_1.weight": Gatys's and
/// fast_neural_style's files), if its classifier begins with classifier.1 (the files of jcjohnson/pytorch-vgg, under
/// torchvision's names), or if its first biases are those of Caffe's VGG16. (Of Caffe's VGG19 under torchvision's
/// names and without a classifier nothing is known that would tell.)
bool is_caffe_vgg(const WeightsReader& file);

/// The name in a file of Caffe's layout of what torchvision calls features.N.weight: `layer` is "relu1_1", `kind`
/// "weight" or "bias".
std::string caffe_name(const std::string& layer, const std::string& kind);

/// Turns weight (64, 3, 3, 3) and bias (64) of the first convolution from Caffe's pictures to torchvision's, with the
/// same results: channels in the other order, their factor and shift in the weights. (At the border of a picture the
/// results differ a little, as zero padding is grey in both, but not the same grey by half of 1/255.)
void from_caffe(Tensor& weight, Tensor& bias);

}  // namespace gesso
