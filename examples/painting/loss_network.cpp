#include "loss_network.h"

#include <algorithm>

#include "filter_bank.h"
#include "program/assets.h"
#include "squeezenet.h"
#include "vgg.h"

namespace gesso {
namespace {

bool is_vgg(const std::string& name) { return name == "vgg16" || name == "vgg19"; }

VggOptions vgg_options(const LossNetworkOptions& options) {
  return {.depth = options.name == "vgg16" ? 16 : 19, .content_layer = options.content_layer};
}

SqueezeNetOptions squeezenet_options(const LossNetworkOptions& options) {
  SqueezeNetOptions squeezenet{.minor = options.name == "squeezenet1_1" ? 1 : 0};
  if (!options.content_layer.empty()) {
    squeezenet.content_layer = options.content_layer;
  }
  return squeezenet;
}

}  // namespace

const std::vector<std::string>& known_loss_networks() {
  static const std::vector<std::string> names = {"distilled",     "filters", "squeezenet",
                                                 "squeezenet1_1", "vgg16",   "vgg19"};
  return names;
}

void LossNetworkOptions::check() const {
  const std::vector<std::string>& known = known_loss_networks();
  require(std::find(known.begin(), known.end(), name) != known.end(), "loss-network: unknown network '", name,
          "'; known are distilled, filters, squeezenet, squeezenet1_1, vgg16, vgg19");
  const bool ours = name == "filters" || name == "distilled";
  if (name == "filters") {
    require(weights.empty(),
            "loss-weights: the filter bank needs no weights; leave them out, or use another loss-network");
    require(content_layer.empty(),
            "content-layer: the filter bank has its own; leave it out, or use another loss-network");
    return;
  }
  require(ours || !weights.empty(), "loss-weights: name the file with the weights of ", name);
  if (is_vgg(name)) {
    vgg_layers(vgg_options(*this));
  } else {
    squeezenet_layers(squeezenet_options(*this));
  }
}

std::unique_ptr<LossNetwork> make_loss_network(const LossNetworkOptions& options) {
  options.check();
  if (options.name == "filters") {
    return std::make_unique<FilterBank>();
  }
  if (is_vgg(options.name)) {
    const VggOptions vgg = vgg_options(options);
    return std::make_unique<Vgg>(vgg, load_vgg_weights(options.weights, vgg));
  }
  const SqueezeNetOptions squeezenet = squeezenet_options(options);
  const std::string weights =
      options.weights.empty() ? asset("loss_network/loss_network.safetensors") : options.weights;
  return std::make_unique<SqueezeNet>(squeezenet, load_squeezenet_weights(weights, squeezenet));
}

}  // namespace gesso
