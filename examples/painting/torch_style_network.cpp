#include "torch_style_network.h"

#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"

namespace gesso {
namespace {

bool is_statistic(const std::string& name) {
  return name.ends_with(".running_mean") || name.ends_with(".running_var") ||
         name.ends_with(".num_batches_tracked");
}

}  // namespace

bool is_torch_style_network(const WeightsReader& file) {
  return file.contains("conv1.conv2d.weight") && file.contains("in1.weight") &&
         file.contains("deconv3.conv2d.weight");
}

std::unique_ptr<StyleNetwork> load_torch_style_network(const WeightsReader& file, const std::string& path) {
  try {
    require(
        is_torch_style_network(file),
        "it holds tensors, but no network like PyTorch's fast_neural_style (conv1.conv2d.weight and so on)");
    file.verify();
    const Shape first = file.shape("conv1.conv2d.weight");
    StyleNetworkOptions options{.width = 0, .blocks = 0};
    options.width = static_cast<int>(std::min<Index>(first.rank() == 4 ? first[0] : 0, 1 << 20));
    while (file.contains(concat_text("res", options.blocks + 1, ".conv1.conv2d.weight"))) {
      ++options.blocks;
    }
    // A network is only made once the file is known to have its weights, which may be any size.
    for (const auto& [name, shape] : style_network_parameters(options)) {
      require(file.contains(name), "it is no network like PyTorch's fast_neural_style: it has no ", name);
      require(file.shape(name) == shape, "it is no network like PyTorch's fast_neural_style: ", name,
              " has shape ", file.shape(name), " and not ", shape);
    }
    NamedTensors state;
    for (const std::string& name : file.names()) {
      if (!is_statistic(name)) {
        state.emplace_back(name, file.load(name));
      }
    }
    Generator rng;  // for initial values that are replaced at once
    auto network = std::make_unique<StyleNetwork>(options, rng);
    network->load_state_dict(state);
    // The example computes y(255 x), from 0 to 255; ours shall be y(255 x) / 255 = 0.5 + 0.25 z.
    const NoGradGuard no_grad;
    for (auto [name, parameter] : network->named_parameters()) {
      if (name == "conv1.conv2d.weight") {
        parameter.mul_(255);
      } else if (name == "deconv3.conv2d.weight") {
        parameter.mul_(4.0 / 255);
      } else if (name == "deconv3.conv2d.bias") {
        parameter.copy_(4.0 / 255 * parameter - 2.0);
      }
    }
    network->eval();
    return network;
  } catch (const ArgumentError& error) {
    throw FileError(concat_text(path, ": ", error.what()));
  }
}

}  // namespace gesso
