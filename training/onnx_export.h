// Networks for everybody else: ONNX files, which ONNX Runtime, browsers and telephones run.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gesso/layers/module.h"

namespace gesso {

/// Whether this build can write them: whether ONNX and protobuf were there.
bool can_export_onnx();

/// A network on its way into a file, operation by operation (opset 17). Values are known by their names, which each
/// function gives. Pictures are float32 (N, C, H, W); N, H and W may be any when it runs.
///
///     OnnxGraph graph("picture", 3);
///     std::string z = graph.layer(net, graph.input());
///     z = graph.add(z, graph.layer(network, graph.input()));
///     graph.save("net.onnx", z);
///
/// Throws ArgumentError in builds without ONNX, naming the packages.
class OnnxGraph {
 public:
  /// With one input of that name, pictures with so many channels.
  OnnxGraph(const std::string& input, Index channels);
  ~OnnxGraph();
  OnnxGraph(const OnnxGraph&) = delete;
  OnnxGraph& operator=(const OnnxGraph&) = delete;

  const std::string& input() const;

  /// What a layer computes of `x` in evaluation mode: Conv2d and ConvTranspose2d, Linear, the activations and Softmax,
  /// MaxPool2d, AvgPool2d without ceil_mode, AdaptiveAvgPool2d to one pixel, Upsample (not bilinear by less than 1.5),
  /// ReflectionPad2d, Flatten, Dropout (nothing), InstanceNorm2d, ConditionalInstanceNorm2d in the style or mix that is
  /// set, BatchNorm with running statistics, GroupNorm, LayerNorm, RMSNorm, layers with a
  /// normalized weight, and Sequential of these. Throws ArgumentError, naming
  /// the layer, for another, and for options that ONNX has no word for.
  std::string layer(Module& module, const std::string& x);

  std::string relu(const std::string& x);
  std::string add(const std::string& x, const std::string& y);
  /// factor x + shift
  std::string affine(const std::string& x, double factor, double shift);
  std::string clip(const std::string& x, double low, double high);
  /// x plus even random numbers in [-most, most), which are others in each program that runs the network.
  std::string add_noise(const std::string& x, double most);
  /// Each pixel as scale x scale pixels.
  std::string upsample_nearest(const std::string& x, Index scale);
  /// The same by 2, and a convolution.
  std::string upsample_conv(Module& convolution, const std::string& x) {
    return layer(convolution, upsample_nearest(x, 2));
  }

  /// Writes the file, with `output` as what it gives. A batch norm that follows a convolution becomes a part of it
  /// there, unless somebody else reads what the convolution computes. Throws FileError when it cannot be written.
  void save(const std::string& path, const std::string& output);

 private:
  struct Model;
  std::unique_ptr<Model> model_;
};

/// Writes `network`, which takes pictures with so many channels and is made of layers that OnnxGraph knows: a
/// Sequential of them. (A module with a forward of its own says in C++ what it does, which cannot be read:
/// write it with OnnxGraph.) The input is called "input" and the output "output". Throws as OnnxGraph does.
void export_onnx(Module& network, Index channels, const std::string& path);

}  // namespace gesso
