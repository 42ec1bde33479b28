#include "loss_network.h"

#include "filter_bank.h"
#include "vgg.h"

namespace gesso {
namespace {

VggOptions vgg_options(const LossNetworkOptions& options) {
  return {.depth = options.name == "vgg16" ? 16 : 19, .content_layer = options.content_layer};
}

}  // namespace

void LossNetworkOptions::check() const {
  if (name == "filters") {
    require(weights.empty(),
            "loss-weights: the filter bank needs no weights; leave them out, or use loss-network vgg16");
    require(content_layer.empty(),
            "content-layer: the filter bank has its own; leave it out, or use loss-network vgg16");
    return;
  }
  require(name == "vgg16" || name == "vgg19", "loss-network: unknown network '", name,
          "'; known are filters, vgg16, vgg19");
  require(!weights.empty(), "loss-weights: name the safetensors file with the weights of ", name);
  vgg_layers(vgg_options(*this));
}

std::unique_ptr<LossNetwork> make_loss_network(const LossNetworkOptions& options) {
  options.check();
  if (options.name == "filters") {
    return std::make_unique<FilterBank>();
  }
  const VggOptions vgg = vgg_options(options);
  return std::make_unique<Vgg>(vgg, load_vgg_weights(options.weights, vgg));
}

}  // namespace gesso
