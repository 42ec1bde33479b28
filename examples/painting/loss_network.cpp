#include "loss_network.h"

#include "combined.h"
#include "filter_bank.h"
#include "program/assets.h"
#include "trained_stack.h"
#include "vgg.h"

namespace gesso {
namespace {

VggOptions vgg_options(const LossNetworkOptions& options) {
  return {.depth = options.name == "vgg16" ? 16 : 19, .content_layer = options.content_layer};
}

}  // namespace

void LossNetworkOptions::check() const {
  const bool ours = name == "filters" || name == "trained" || name == "combined";
  require(ours || name == "vgg16" || name == "vgg19", "loss-network: unknown network '", name,
          "'; known are filters, trained, combined, vgg16, vgg19");
  if (ours) {
    require(name != "filters" || weights.empty(),
            "loss-weights: the filter bank needs no weights; leave them out, or use loss-network vgg16");
    require(content_layer.empty(), "content-layer: ", name == "filters" ? "the filter bank" : name,
            " has its own; leave it out, or use loss-network vgg16");
    return;
  }
  require(!weights.empty(), "loss-weights: name the safetensors file with the weights of ", name);
  vgg_layers(vgg_options(*this));
}

std::unique_ptr<LossNetwork> make_loss_network(const LossNetworkOptions& options) {
  options.check();
  if (options.name == "filters") {
    return std::make_unique<FilterBank>();
  }
  if (options.name == "trained" || options.name == "combined") {
    const NamedTensors stack = load_stack_weights(
        options.weights.empty() ? asset("loss_network/loss_network.safetensors") : options.weights);
    if (options.name == "trained") {
      return std::make_unique<TrainedStack>(stack);
    }
    return std::make_unique<Combined>(stack);
  }
  const VggOptions vgg = vgg_options(options);
  return std::make_unique<Vgg>(vgg, load_vgg_weights(options.weights, vgg));
}

}  // namespace gesso
