// A style network in about a hundred lines: it learns to repaint any photograph in the manner of one picture
// (Johnson et al. 2016, arXiv 1603.08155), with instance normalization (Ulyanov et al. 2016, arXiv
// 1607.08022). From the top folder, five minutes on two cores:
//
//     build/bin/style-recipe [STEPS [STYLE.jpg [PHOTOGRAPH.jpg [RESULT.jpg]]]]
#include <gesso/gesso.h>

#include <cstdlib>
#include <iostream>
#include <map>
using namespace gesso;

const std::string kAssets = "examples/assets/";

// Convolution, instance norm, ReLU. The norm takes the photograph's own contrast away; reflection keeps
// borders clean.
void add_layer(Sequential& net, Index in, Index out, Index kernel, Index stride, Generator& rng) {
  net.emplace<Conv2d>(in, out, kernel,
                      {.stride = stride, .padding = kernel / 2, .padding_mode = PaddingMode::reflect}, rng);
  net.emplace<InstanceNorm2d>(out, {.affine = true});
  net.emplace<ReLU>();
}

// x + f(x): each block changes a little (He et al. 2015, arXiv 1512.03385).
struct Residual : Module {
  Sequential change;
  Residual(Index channels, Generator& rng) {
    add_layer(change, channels, channels, 3, 1, rng);
    change.emplace<Conv2d>(channels, channels, 3, {.padding = 1, .padding_mode = PaddingMode::reflect}, rng);
    change.emplace<InstanceNorm2d>(channels, {.affine = true});
    register_module("change", change);
  }
  Tensor forward(const Tensor& x) override { return x + change(x); }
};

// Down to half the size, where a stroke is fewer pixels wide, and up again.
void build(Sequential& net, Generator& rng) {
  add_layer(net, 3, 16, 9, 1, rng);
  add_layer(net, 16, 32, 3, 2, rng);
  for (int i = 0; i < 3; ++i) net.emplace<Residual>(32, rng);
  net.emplace<Upsample>({.scale = 2});
  add_layer(net, 32, 16, 3, 1, rng);
  net.emplace<Conv2d>(16, 3, 9, {.padding = 4, .padding_mode = PaddingMode::reflect}, rng);
  net.emplace<Sigmoid>();
}

// Noise gives the network something to make strokes of where a photograph is all one colour.
Tensor repaint(Sequential& net, const Tensor& photographs, Generator& rng) {
  return net(photographs + 0.1 * Tensor::randn(photographs.shape(), rng));
}

using Weights = std::map<std::string, Tensor>;

// What pictures are compared by: their colours, and the layers of a small SqueezeNet (Iandola et al. 2016,
// arXiv 1602.07360) that comes with gesso and sees pictures as one that was trained on ImageNet does: one
// convolution, then fire modules, each of which squeezes its input to a few channels and expands these again.
std::vector<Tensor> features_of(const Tensor& pictures, const Weights& weights) {
  const auto layer = [&](const Tensor& x, const std::string& name, Index stride, Index padding) {
    return relu(conv2d(x, weights.at(name + ".weight"), weights.at(name + ".bias"),
                       {.stride = stride, .padding = padding, .padding_mode = PaddingMode::reflect}));
  };
  Tensor x = layer((pictures - 0.45) / 0.226, "features.0", 2, 3);
  std::vector<Tensor> features = {pictures, x};
  for (const int fire : {3, 4, 5, 7, 8}) {
    if (fire == 3 || fire == 7) x = max_pool2d(x, {.kernel = 3, .stride = 2, .padding = 1});
    const std::string name = concat_text("features.", fire, ".");
    x = layer(x, name + "squeeze", 1, 0);
    x = concat({layer(x, name + "expand1x1", 1, 0), layer(x, name + "expand3x3", 1, 1)}, 1);
    features.push_back(x);
  }
  return features;
}

// How strongly features occur, and with which others, wherever they are in the picture (Gatys et al. 2015).
Tensor style_of(const Tensor& features) { return gram_matrix(features, GramNormalizer::pixels); }

int main(int argc, char** argv) try {
  const auto argument = [&](int i, const std::string& otherwise) { return i < argc ? argv[i] : otherwise; };
  const int steps = std::atoi(argument(1, "400").c_str());
  if (steps < 1 || argc > 5)
    return std::cerr << "style-recipe [STEPS [STYLE.jpg [PHOTOGRAPH.jpg [RESULT.jpg]]]]\n", 2;
  const Tensor style = resize_short_side(load_picture(argument(2, kAssets + "styles/starry_night.jpg")), 256);
  const Tensor photograph = resize_short_side(load_picture(argument(3, kAssets + "photos/cat.jpg")), 384);
  const std::string result = argument(4, "build/repainted.jpg");

  Generator rng{1};
  Sequential net;
  build(net, rng);
  const NamedTensors loaded = load_safetensors(kAssets + "loss_network/loss_network.safetensors").tensors;
  const Weights weights(loaded.begin(), loaded.end());
  std::vector<Tensor> wanted;
  for (const Tensor& features : features_of(style, weights)) wanted.push_back(style_of(features));
  PictureFolder photographs(kAssets + "photos", {.crop = 128, .batch = 4});
  Adam adam(net.parameters());
  const WarmupCosine schedule{.warmup = steps / 20, .total = steps + 1};
  for (int step = 0; step < steps; ++step) {
    const Tensor batch = photographs.next(), painted = repaint(net, batch, rng);
    const std::vector<Tensor> features = features_of(painted, weights);
    const Tensor shown = features_of(batch, weights)[5];
    const Tensor content = mse_loss(features[5], shown) / shown.square().mean().item();
    Tensor manner = Tensor::scalar(0);
    for (std::size_t i = 0; i < features.size(); ++i) {
      manner += (style_of(features[i]) - wanted[i]).square().mean() / wanted[i].square().mean().item();
    }
    adam.zero_grad();
    (content + manner + 0.1 * total_variation(painted)).backward();
    adam.set_lr(2e-3 * schedule(step));
    adam.step();
    if (step % 20 == 0) std::cout << concat_text(step, ": content ", content(), ", style ", manner(), "\n");
  }
  const NoGradGuard no_grad;
  save_picture(result, repaint(net, photograph, rng));
  std::cout << "wrote " << result << "\n";
} catch (const std::exception& error) {
  std::cerr << "style-recipe: " << error.what() << "\n";
  return 1;
}
