// Networks of torchvision as people write them with gesso: their modules, names and state dicts are torchvision's.
#pragma once

#include <string>
#include <vector>

#include "gesso/gesso.h"

namespace gesso::testing {

/// SqueezeNet (Iandola et al. 2016, arXiv 1602.07360).
struct Fire : Module {
  Conv2d squeeze, expand1x1, expand3x3;
  Fire(Index in, Index squeezed, Index out, Generator& rng)
      : squeeze(in, squeezed, 1, rng),
        expand1x1(squeezed, out, 1, rng),
        expand3x3(squeezed, out, 3, {.padding = 1}, rng) {
    register_module("squeeze", squeeze);
    register_module("expand1x1", expand1x1);
    register_module("expand3x3", expand3x3);
  }
  Tensor forward(const Tensor& x) override {
    const Tensor y = relu(squeeze(x));
    return concat({relu(expand1x1(y)), relu(expand3x3(y))}, 1);
  }
};

struct SqueezeNetClassifier : Module {
  Sequential features, classifier;
  SqueezeNetClassifier(int minor, Index classes, Generator& rng) {
    const bool first = minor == 0;
    const auto pool = [&] { features.emplace<MaxPool2d>({.kernel = 3, .stride = 2, .ceil_mode = true}); };
    Index channels = first ? 96 : 64;
    features.emplace<Conv2d>(3, channels, first ? 7 : 3, {.stride = 2}, rng);
    features.emplace<ReLU>();
    pool();
    for (int fire = 2; fire <= 9; ++fire) {
      const Index squeezed = 16 * (fire / 2);
      features.emplace<Fire>(channels, squeezed, 4 * squeezed, rng);
      channels = 8 * squeezed;
      if (first ? fire == 4 || fire == 8 : fire == 3 || fire == 5) {
        pool();
      }
    }
    classifier.emplace<Dropout>(0.5, rng);
    classifier.emplace<Conv2d>(channels, classes, 1, rng);
    classifier.emplace<ReLU>();
    classifier.emplace<AdaptiveAvgPool2d>(1);
    register_module("features", features);
    register_module("classifier", classifier);
  }
  Tensor forward(const Tensor& x) override { return flatten(classifier(features(x)), 1); }
};

/// VGG (Simonyan and Zisserman 2014, arXiv 1409.1556). torchvision's classifier has `hidden` = 4096.
struct VggClassifier : Module {
  Sequential features, classifier;
  AdaptiveAvgPool2d avgpool{7};
  VggClassifier(int depth, Index hidden, Index classes, Generator& rng) {
    Index channels = 3;
    for (const auto& [width, layers] : std::vector<std::pair<Index, int>>{{64, 2},
                                                                          {128, 2},
                                                                          {256, depth == 16 ? 3 : 4},
                                                                          {512, depth == 16 ? 3 : 4},
                                                                          {512, depth == 16 ? 3 : 4}}) {
      for (int i = 0; i < layers; ++i) {
        features.emplace<Conv2d>(channels, width, 3, {.padding = 1}, rng);
        features.emplace<ReLU>();
        channels = width;
      }
      features.emplace<MaxPool2d>();
    }
    for (const Index in : {512 * 7 * 7, static_cast<int>(hidden)}) {
      classifier.emplace<Linear>(Index{in}, hidden, rng);
      classifier.emplace<ReLU>();
      classifier.emplace<Dropout>(0.5, rng);
    }
    classifier.emplace<Linear>(hidden, classes, rng);
    register_module("features", features);
    register_module("avgpool", avgpool);
    register_module("classifier", classifier);
  }
  Tensor forward(const Tensor& x) override { return classifier(flatten(avgpool(features(x)), 1)); }
};

/// ResNet-18 (He et al. 2015, arXiv 1512.03385).
struct BasicBlock : Module {
  Conv2d conv1, conv2;
  BatchNorm2d bn1, bn2;
  Sequential downsample;
  BasicBlock(Index in, Index out, Index stride, Generator& rng)
      : conv1(in, out, 3, {.stride = stride, .padding = 1, .bias = false}, rng),
        conv2(out, out, 3, {.padding = 1, .bias = false}, rng),
        bn1(out),
        bn2(out) {
    register_module("conv1", conv1);
    register_module("bn1", bn1);
    register_module("conv2", conv2);
    register_module("bn2", bn2);
    if (stride != 1 || in != out) {
      downsample.emplace<Conv2d>(in, out, 1, {.stride = stride, .bias = false}, rng);
      downsample.emplace<BatchNorm2d>(out);
      register_module("downsample", downsample);
    }
  }
  Tensor forward(const Tensor& x) override { return relu(bn2(conv2(relu(bn1(conv1(x))))) + downsample(x)); }
};

struct ResNet18 : Module {
  Conv2d conv1;
  BatchNorm2d bn1{64};
  Sequential layers[4];
  Linear fc;
  ResNet18(Index classes, Generator& rng)
      : conv1(3, 64, 7, {.stride = 2, .padding = 3, .bias = false}, rng), fc(512, classes, rng) {
    register_module("conv1", conv1);
    register_module("bn1", bn1);
    Index in = 64;
    for (int i = 0; i < 4; ++i) {
      const Index out = Index{64} << i;
      layers[i].emplace<BasicBlock>(in, out, Index{i == 0 ? 1 : 2}, rng);
      layers[i].emplace<BasicBlock>(out, out, Index{1}, rng);
      register_module("layer" + std::to_string(i + 1), layers[i]);
      in = out;
    }
    register_module("fc", fc);
  }
  Tensor forward(const Tensor& x) override {
    Tensor y = max_pool2d(relu(bn1(conv1(x))), {.kernel = 3, .stride = 2, .padding = 1});
    for (Sequential& layer : layers) {
      y = layer(y);
    }
    return fc(flatten(adaptive_avg_pool2d(y, 1), 1));
  }
};

}  // namespace gesso::testing
