#include "style_network.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "gesso/autograd/batch_share.h"
#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/padding.h"
#include "gesso/autograd/upsampled_convolution.h"
#include "gesso/layers/activations.h"
#include "gesso/layers/normalization/batch_instance.h"
#include "gesso/layers/normalization/batch_norm.h"
#include "gesso/layers/normalization/conditional.h"
#include "gesso/layers/normalization/group_norm.h"
#include "gesso/layers/normalization/instance_norm.h"

namespace gesso {
namespace {

// The groups of group norm: 32, its authors' default (Wu and He 2018), if the channels divide into so many
// groups of two or more, else the next smaller number that does. Groups of a single channel would be instance
// norm.
Index groups_of(Index channels) {
  Index groups = std::min<Index>(32, std::max<Index>(1, channels / 2));
  while (channels % groups != 0) {
    --groups;
  }
  return groups;
}

// Batch norm as processes with one picture each compute it when they do not synchronize, all in one process: in
// training every picture has its own statistics, and the running ones collect their mean. That is instance norm until
// eval().
class UnsynchronizedBatchNorm2d : public BatchNorm2d {
 public:
  using BatchNorm2d::BatchNorm2d;

 protected:
  Statistics default_statistics() const override {
    return is_training() ? Statistics::per_instance : BatchNorm2d::default_statistics();
  }
};

using Norm = std::unique_ptr<FusedActivation>;  // null for no normalization
using Options = NormalizationOptions;
using Maker = Norm (*)(Index channels, const Options& options);

BatchNormOptions batch_options(const Options& options) {
  return {.eps = options.eps, .momentum = options.momentum, .affine = options.affine};
}

Norm instance(Index channels, const Options& options) {
  if (options.styles > 1) {
    return std::make_unique<ConditionalInstanceNorm2d>(options.styles, channels,
                                                       ConditionalInstanceNormOptions{.eps = options.eps});
  }
  return std::make_unique<InstanceNorm2d>(channels,
                                          InstanceNormOptions{.eps = options.eps, .affine = options.affine});
}

Norm group(Index groups, Index channels, const Options& options) {
  return std::make_unique<GroupNorm>(groups, channels,
                                     GroupNormOptions{.eps = options.eps, .affine = options.affine});
}

const std::map<std::string, Maker>& makers() {
  static const std::map<std::string, Maker> table = {
      {"none", [](Index, const Options&) { return Norm(); }},
      {"batch",
       [](Index channels, const Options& options) -> Norm {
         return std::make_unique<BatchNorm2d>(channels, batch_options(options));
       }},
      {"batch-unsynchronized",
       [](Index channels, const Options& options) -> Norm {
         return std::make_unique<UnsynchronizedBatchNorm2d>(channels, batch_options(options));
       }},
      {"instance", instance},
      {"layer", [](Index channels, const Options& options) { return group(1, channels, options); }},
      {"group",
       [](Index channels, const Options& options) { return group(groups_of(channels), channels, options); }},
      {"batch-instance",
       [](Index channels, const Options& options) -> Norm {
         return std::make_unique<BatchInstanceNorm2d>(channels, batch_options(options));
       }},
  };
  return table;
}

Conv2d reflecting_conv(Index in, Index out, Index kernel, Index stride, Generator& rng) {
  return Conv2d(in, out, kernel,
                {.stride = stride, .padding = kernel / 2, .padding_mode = PaddingMode::reflect}, rng);
}

const StyleNetworkOptions& checked(const StyleNetworkOptions& options) {
  require(options.width >= 1 && options.width <= 512, "style network: width ", options.width,
          " is not in 1 to 512");
  require(options.blocks >= 0 && options.blocks <= 64, "style network: ", options.blocks,
          " residual blocks are not in 0 to 64");
  require(options.styles >= 1 && options.styles <= 1000, "style network: ", options.styles,
          " styles are not in 1 to 1000");
  require(options.noise >= 0 && options.noise <= 1, "style network: noise ", options.noise,
          " is not in 0 to 1");
  require(options.styles == 1 || options.normalization == "instance",
          "norm: several styles in one network need ", "instance normalization, not ", options.normalization);
  return options;
}

}  // namespace

std::vector<std::string> known_normalizations() {
  std::vector<std::string> names;
  for (const auto& [name, make] : makers()) {
    names.push_back(name);
  }
  return names;
}

void check_normalization(const std::string& name) {
  std::string known;
  for (const std::string& each : known_normalizations()) {
    known += (known.empty() ? "" : ", ") + each;
  }
  require(makers().contains(name), "norm: unknown normalization '", name, "'; known are ", known);
}

std::unique_ptr<Module> make_normalization(const std::string& name, Index channels, Activation activation,
                                           const NormalizationOptions& options) {
  check_normalization(name);
  Norm norm = makers().at(name)(channels, options);
  if (!norm) {
    return activation == Activation::relu ? std::make_unique<ReLU>() : nullptr;
  }
  norm->then(activation);
  return norm;
}

ConvLayer::ConvLayer(Index in, Index out, Index kernel, Index stride, Generator& rng)
    : conv2d(reflecting_conv(in, out, kernel, stride, rng)) {
  register_module("conv2d", conv2d);
}

UpsampleConvLayer::UpsampleConvLayer(Index in, Index out, Generator& rng)
    : conv2d(reflecting_conv(in, out, 3, 1, rng)) {
  register_module("conv2d", conv2d);
}

Tensor UpsampleConvLayer::forward(const Tensor& x) {
  return upsample_conv2d(x, conv2d.effective_weight(), conv2d.bias, conv2d.options().padding_mode);
}

ResidualBlock::ResidualBlock(Index channels, const StyleNetworkOptions& options, Generator& rng)
    : conv1(channels, channels, 3, 1, rng),
      conv2(channels, channels, 3, 1, rng),
      in1(make_normalization(options.normalization, channels, Activation::relu, {.styles = options.styles})),
      in2(make_normalization(options.normalization, channels, Activation::none, {.styles = options.styles})) {
  register_module("conv1", conv1);
  register_module("conv2", conv2);
  register_module("in1", *in1);
  if (in2) {
    register_module("in2", *in2);
  }
}

Tensor ResidualBlock::forward(const Tensor& x) {
  const Tensor inner = conv2((*in1)(conv1(x)));
  return x + (in2 ? (*in2)(inner) : inner);
}

StyleNetwork::StyleNetwork(const StyleNetworkOptions& options, Generator& rng)
    : options_(checked(options)),
      conv1(3, options.width, 9, 1, rng),
      conv2(options.width, 2 * options.width, 3, 2, rng),
      conv3(2 * options.width, 4 * options.width, 3, 2, rng),
      in1(make_normalization(options.normalization, options.width, Activation::relu,
                             {.styles = options.styles})),
      in2(make_normalization(options.normalization, 2 * options.width, Activation::relu,
                             {.styles = options.styles})),
      in3(make_normalization(options.normalization, 4 * options.width, Activation::relu,
                             {.styles = options.styles})),
      deconv1(4 * options.width, 2 * options.width, rng),
      deconv2(2 * options.width, options.width, rng),
      in4(make_normalization(options.normalization, 2 * options.width, Activation::relu,
                             {.styles = options.styles})),
      in5(make_normalization(options.normalization, options.width, Activation::relu,
                             {.styles = options.styles})),
      deconv3(options.width, 3, 9, 1, rng) {
  register_module("conv1", conv1);
  register_module("in1", *in1);
  register_module("conv2", conv2);
  register_module("in2", *in2);
  register_module("conv3", conv3);
  register_module("in3", *in3);
  for (int i = 0; i < options.blocks; ++i) {
    blocks_.push_back(std::make_unique<ResidualBlock>(4 * options.width, options, rng));
    register_module(concat_text("res", i + 1), *blocks_.back());
  }
  register_module("deconv1", deconv1);
  register_module("in4", *in4);
  register_module("deconv2", deconv2);
  register_module("in5", *in5);
  register_module("deconv3", deconv3);
}

void StyleNetwork::set_styles(const std::vector<Index>& styles) {
  for (const Index style : styles) {
    require(style >= 0 && style < options_.styles, "style network: there is no style ", style,
            "; it has 0 to ", options_.styles - 1);
  }
  gesso::set_styles(*this, styles);
}

void StyleNetwork::set_mix(const std::vector<double>& weights) {
  const Index count = static_cast<Index>(weights.size());
  require(count == options_.styles, "style network: ", count, " weights for ", options_.styles, " styles");
  if (count == 1) {
    require(weights.front() == 1, "style network: it has one style, which cannot be mixed by a weight of ",
            weights.front());
    return;
  }
  set_style_mix(*this, Tensor::from(weights, {1, count}));
}

void StyleNetwork::set_noise(std::uint64_t number, const std::vector<double>& amounts) {
  require(!amounts.empty(), "style network: no amount of noise; give one for each picture, or one for all");
  noise_number_ = number;
  noise_amounts_ = amounts;
}

Tensor StyleNetwork::with_noise(const Tensor& strip, Index first_row, Index height) const {
  if (options_.noise == 0) {
    return strip;
  }
  const auto share = BatchShare::current();  // of a batch's noise, this process's part
  const Index amounts = static_cast<Index>(noise_amounts_.size());
  const Index pictures = share ? share->total() : strip.size(0), first_picture = share ? share->first() : 0;
  require(amounts == 1 || amounts == pictures, "style network: ", amounts, " amounts of noise for ", pictures,
          " pictures; give one for each, or one for all");
  if (std::all_of(noise_amounts_.begin(), noise_amounts_.end(), [](double amount) { return amount == 0; })) {
    return strip;
  }
  const double most = options_.noise * std::sqrt(3.0);  // of even noise of that standard deviation
  const Index width = strip.size(3), elements = strip.size(2) * width;
  Tensor noise = Tensor::empty(strip.shape(), strip.dtype());
  with_dtype(strip.dtype(), [&]<class T>() {
    T* const values = noise.mutable_data<T>();
    std::vector<T> numbers;
    for (Index plane = 0; plane < strip.size(0) * strip.size(1); ++plane) {
      // A picture's number i is number i of the generator, which gives two at each of its positions.
      const Index plane_of_batch = first_picture * strip.size(1) + plane;
      const Index first = (plane_of_batch * height + first_row) * width, before = first % 2;
      Generator rng({noise_number_, static_cast<std::uint64_t>(first / 2)});
      numbers.resize(static_cast<std::size_t>(elements + before));
      rng.fill_uniform(numbers.data(), elements + before, -most, most);
      std::copy_n(numbers.data() + before, elements, values + plane * elements);
    }
  });
  Tensor factors = Tensor::from(noise_amounts_, {amounts, 1, 1, 1}, strip.dtype());
  if (share && amounts > 1) {
    factors = factors.slice(first_picture, first_picture + share->count());
  }
  return strip + noise * factors;
}

Tensor StyleNetwork::forward(const Tensor& x) {
  require(x.rank() == 4 && x.size(1) == 3 && x.size(2) >= min_size && x.size(3) >= min_size,
          "style network: the pictures have shape ", x.shape(),
          "; they must be (N, 3, H, W) with H and W of at least ", min_size);
  Tensor y = (*in1)(conv1(with_noise(x, 0, x.size(2))));
  y = (*in2)(conv2(y));
  y = (*in3)(conv3(y));
  for (const auto& block : blocks_) {
    y = (*block)(y);
  }
  y = (*in4)(deconv1(y));
  y = (*in5)(deconv2(y));
  return 0.25 * deconv3(y) + 0.5;
}

std::vector<std::pair<std::string, Shape>> style_network_parameters(const StyleNetworkOptions& options) {
  const Index width = checked(options).width, middle = 4 * width;
  check_normalization(options.normalization);
  std::vector<std::pair<std::string, Shape>> parameters;
  const auto convolution = [&](const std::string& name, Index out, Index in, Index kernel) {
    parameters.emplace_back(name + ".conv2d.weight", Shape{out, in, kernel, kernel});
    parameters.emplace_back(name + ".conv2d.bias", Shape{out});
  };
  const auto normalization = [&](const std::string& name, Index channels) {
    if (options.normalization == "none") {
      return;
    }
    const Shape rows = options.styles > 1 ? Shape{options.styles, channels} : Shape{channels};
    parameters.emplace_back(name + ".weight", rows);
    parameters.emplace_back(name + ".bias", rows);
    if (options.normalization == "batch-instance") {
      parameters.emplace_back(name + ".rho", Shape{channels});
    }
  };
  convolution("conv1", width, 3, 9);
  convolution("conv2", 2 * width, width, 3);
  convolution("conv3", middle, 2 * width, 3);
  normalization("in1", width);
  normalization("in2", 2 * width);
  normalization("in3", middle);
  for (int i = 1; i <= options.blocks; ++i) {
    for (const char* part : {"1", "2"}) {
      convolution(concat_text("res", i, ".conv", part), middle, middle, 3);
      normalization(concat_text("res", i, ".in", part), middle);
    }
  }
  convolution("deconv1", 2 * width, middle, 3);
  convolution("deconv2", width, 2 * width, 3);
  convolution("deconv3", 3, width, 9);
  normalization("in4", 2 * width);
  normalization("in5", width);
  return parameters;
}

}  // namespace gesso
