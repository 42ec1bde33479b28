// The style network: the feed-forward network that is trained to repaint a photograph in the manner of one
// picture. Johnson, Alahi and Fei-Fei 2016 (arXiv 1603.08155) with instance normalization (Ulyanov et al.
// 2016, arXiv 1607.08022), nearest-neighbour upsampling (Odena et al. 2016) and reflection padding; its
// state-dict keys and shapes at width 32 and 5 blocks are those of PyTorch's fast_neural_style example.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gesso/core/generator.h"
#include "gesso/layers/conv2d.h"
#include "gesso/layers/module.h"

namespace gesso {

/// The shape of a style network, and the normalization after each of its convolutions.
struct StyleNetworkOptions {
  int width = 32;  ///< channels of the first convolution; the middle has four times as many
  int blocks = 5;  ///< residual blocks in the middle
  std::string normalization = "instance";  ///< see check_normalization()
  int styles = 1;  ///< above 1: conditional instance norm, one gamma and beta row for each style
  /// Standard deviation of noise that is added to the photograph (Ulyanov et al. 2016, arXiv 1603.03417):
  /// where a photograph is all one colour, the network has nothing else to make varied strokes from, and can
  /// only repeat one pattern.
  double noise = 0;
};

/// "batch", "batch-instance", "batch-unsynchronized", "group", "instance", "layer", "none".
std::vector<std::string> known_normalizations();

/// Throws ArgumentError, listing the known names, unless `name` is one.
void check_normalization(const std::string& name);

/// What all normalizations have that make_normalization() makes.
struct NormalizationOptions {
  double eps = 1e-5;      ///< added to the variance, inside the square root
  double momentum = 0.1;  ///< of the running statistics, for those that have them
  bool affine = true;     ///< with a trained gamma and beta for each channel
  /// Above 1: instance norm with a row of gamma and beta for each style (Dumoulin et al. 2017, arXiv 1610.07629).
  int styles = 1;
};

/// A normalization layer over `channels` channels, by name, with the activation in the same pass. "layer" is over all
/// channels and pixels of a picture, "group" over groups of at least two channels. For "none", a layer that is the
/// activation, or null. Norms draw no random numbers, so networks from the same seed begin with the same convolutions,
/// whatever their normalization. Throws ArgumentError as check_normalization() does.
std::unique_ptr<Module> make_normalization(const std::string& name, Index channels, Activation activation,
                                           const NormalizationOptions& options = {});

/// Reflection padding of kernel / 2, then a convolution: sizes are kept (or halved with stride 2), borders
/// stay clean.
class ConvLayer : public Module {
 public:
  ConvLayer(Index in, Index out, Index kernel, Index stride, Generator& rng);
  Tensor forward(const Tensor& x) override { return conv2d(x); }

  Conv2d conv2d;
};

/// Nearest-neighbour upsampling by 2, then a 3x3 ConvLayer: no checkerboards, unlike a transposed convolution.
class UpsampleConvLayer : public Module {
 public:
  UpsampleConvLayer(Index in, Index out, Generator& rng);
  Tensor forward(const Tensor& x) override;

  Conv2d conv2d;
};

/// x + norm(conv(relu(norm(conv(x))))) (He et al. 2015), without a ReLU after the sum (Gross and Wilber
/// 2016).
class ResidualBlock : public Module {
 public:
  ResidualBlock(Index channels, const StyleNetworkOptions& options, Generator& rng);
  Tensor forward(const Tensor& x) override;

 private:
  ConvLayer conv1, conv2;
  std::unique_ptr<Module> in1, in2;
};

/// (N, 3, H, W) in [0, 1] to (N, 3, H', W') around [0, 1], H' and W' being H and W rounded up to multiples
/// of 4. The output is linear, 0.5 + 0.25 times the last convolution: clamp it to show it.
class StyleNetwork : public Module {
 public:
  /// Throws ArgumentError unless 1 <= width <= 512, 0 <= blocks <= 64, 1 <= styles <= 1000, the normalization
  /// is known, it is "instance" if there are several styles, and 0 <= noise <= 1.
  StyleNetwork(const StyleNetworkOptions& options, Generator& rng);

  /// Throws ArgumentError unless x is (N, 3, H, W) with H and W of at least min_size.
  Tensor forward(const Tensor& x) override;

  /// What the next pictures are painted in: sample n in style styles[n]; a single entry is for all. Begins
  /// with style 0. Throws ArgumentError for styles that the network does not have.
  void set_styles(const std::vector<Index>& styles);
  /// All pictures in a mix of the styles, one weight for each: their rows of gamma and beta are added up. A
  /// network of one style has only the weight 1.
  void set_mix(const std::vector<double>& weights);

  /// Which noise is added to the next pictures: the same number is the same noise. For sample n it is
  /// amounts[n] times as strong as the options say; a single entry is for all. Begins with number 0, amount
  /// 1.
  void set_noise(std::uint64_t number, const std::vector<double>& amounts = {1});

  /// What forward() adds to a picture whose rows from `first_row` on are `strip`, (N, 3, rows, W), and that
  /// has `height` of them: strip with its part of the noise.
  Tensor with_noise(const Tensor& strip, Index first_row, Index height) const;

  const StyleNetworkOptions& options() const { return options_; }
  /// The smallest height and width it can take: reflection padding needs more pixels than it adds.
  static constexpr Index min_size = 5;

 private:
  StyleNetworkOptions options_;
  std::uint64_t noise_number_ = 0;
  std::vector<double> noise_amounts_ = {1};
  ConvLayer conv1, conv2, conv3;
  std::unique_ptr<Module> in1, in2, in3;
  std::vector<std::unique_ptr<ResidualBlock>> blocks_;
  UpsampleConvLayer deconv1, deconv2;
  std::unique_ptr<Module> in4, in5;
  ConvLayer deconv3;
};

/// The parameters of a StyleNetwork with these options, by name, with their shapes, without making one: it
/// may be large. In no particular order. Throws ArgumentError as StyleNetwork does.
std::vector<std::pair<std::string, Shape>> style_network_parameters(const StyleNetworkOptions& options);

}  // namespace gesso
