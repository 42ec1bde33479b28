#include "caffe_vgg.h"

#include <cmath>

namespace gesso {
namespace {

constexpr double kCaffeMean[] = {103.939, 116.779, 123.68};                              // blue, green, red
constexpr double kMean[] = {0.485, 0.456, 0.406}, kDeviation[] = {0.229, 0.224, 0.225};  // red, green, blue
constexpr double kVgg16Biases[] = {0.7301776, 0.06493629, 0.03428847, 0.8260386};

}  // namespace

bool is_caffe_vgg(const WeightsReader& file) {
  if (file.contains(caffe_name("relu1_1", "weight"))) {
    return true;
  }
  const std::string first = "features.0.bias";
  if (!file.contains(first)) {
    return false;
  }
  if (file.contains("classifier.1.weight") && !file.contains("classifier.0.weight")) {
    return true;
  }
  const std::vector<double> biases = file.load(first).to_vector();
  for (std::size_t i = 0; i < std::size(kVgg16Biases); ++i) {
    if (i >= biases.size() ||
        std::fabs(biases[i] - kVgg16Biases[i]) > 1e-3) {  // as float16 they are not exact
      return false;
    }
  }
  return true;
}

std::string caffe_name(const std::string& layer, const std::string& kind) {
  return "conv" + layer.substr(layer.find_first_of("0123456789")) + "." + kind;  // relu1_1: conv1_1.weight
}

// Caffe sees p[2 - c] = 255 (x[c] deviation[c] + mean[c]) - caffe_mean[2 - c] where torchvision sees x[c]; so
// sum w p = sum (w 255 deviation) x + sum w (255 mean - caffe_mean).
void from_caffe(Tensor& weight, Tensor& bias) {
  Tensor to = Tensor::empty(weight.shape()), shifted = bias.clone();
  for (Index o = 0; o < weight.size(0); ++o) {
    double shift = 0;
    for (Index c = 0; c < 3; ++c) {
      for (Index i = 0; i < weight.size(2); ++i) {
        for (Index j = 0; j < weight.size(3); ++j) {
          const double w = weight(o, 2 - c, i, j);
          to.set({o, c, i, j}, w * 255 * kDeviation[c]);
          shift += w * (255 * kMean[c] - kCaffeMean[2 - c]);
        }
      }
    }
    shifted.set({o}, bias(o) + shift);
  }
  weight = to;
  bias = shifted;
}

}  // namespace gesso
