#include "torch_export.h"

#include <cmath>
#include <sstream>

#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"

namespace gesso {
namespace {

// The line of Python that defines norm(x, k), k being the name of a layer.
std::string norm_line(const StyleNetworkOptions& options) {
  const std::string affine = "w[k + \".weight\"], w[k + \".bias\"]";
  const std::string& name = options.normalization;
  if (name == "instance") {
    return "norm = lambda x, k: F.instance_norm(x, weight=w[k + \".weight\"], bias=w[k + \".bias\"])";
  }
  if (name == "batch" || name == "batch-unsynchronized") {  // which differ in training alone
    return "norm = lambda x, k: F.batch_norm(x, w[k + \".running_mean\"], w[k + \".running_var\"], " +
           affine + ")";
  }
  if (name == "layer") {
    return "norm = lambda x, k: F.group_norm(x, 1, " + affine + ")";
  }
  if (name ==
      "group") {  // 32 groups, or the next smaller number that divides the channels into groups of two or more
    return "groups = lambda c: next(g for g in range(min(32, max(1, c // 2)), 0, -1) if c % g == 0)\n"
           "norm = lambda x, k: F.group_norm(x, groups(x.shape[1]), " +
           affine + ")";
  }
  require(name == "none", "a network with ", name,
          " normalization cannot be written for PyTorch, which has no such layer");
  return "norm = lambda x, k: x";
}

}  // namespace

StateDict torch_state(const StyleNetwork& network, const std::vector<double>& rows) {
  const NoGradGuard no_grad;
  StateDict state = network.state_dict();
  if (network.options().styles == 1) {
    return state;
  }
  require(static_cast<int>(rows.size()) == network.options().styles, "torch_state: ", rows.size(),
          " weights for ", network.options().styles, " rows");
  const Tensor weights = Tensor::from(rows, {1, static_cast<Index>(rows.size())});
  for (auto& [name, tensor] : state) {
    if (tensor.rank() == 2) {  // only tables of gamma and beta have two dimensions
      tensor = weights.to(tensor.dtype()).matmul(tensor).reshape({tensor.size(1)});
    }
  }
  return state;
}

std::string torch_program(const StyleNetworkOptions& options, double amount, const std::string& file) {
  std::ostringstream text;
  text << "import torch\n"
          "import torch.nn.functional as F\n"
          "from safetensors.torch import load_file\n\n"
          "w = {k: v.float() for k, v in load_file(\""
       << file << "\").items()}\n"
       << "pad = lambda x, n: F.pad(x, (n, n, n, n), \"reflect\")\n"
          "conv = lambda x, k, s=1: F.conv2d(pad(x, w[k + \".conv2d.weight\"].shape[-1] // 2), w[k + "
          "\".conv2d.weight\"], w[k + \".conv2d.bias\"], s)\n"
          "up = lambda x, k: conv(F.interpolate(x, scale_factor=2), k)\n"
       << norm_line(options)
       << "\n\n"
          "def paint(x):  # (N, 3, H, W) in [0, 1], H and W multiples of 4\n";
  if (options.noise > 0) {
    text << "    x = x + " << options.noise * amount * std::sqrt(3.0) << " * (2 * torch.rand_like(x) - 1)\n";
  }
  text << "    x = F.relu(norm(conv(x, \"conv1\"), \"in1\"))\n"
          "    x = F.relu(norm(conv(x, \"conv2\", 2), \"in2\"))\n"
          "    x = F.relu(norm(conv(x, \"conv3\", 2), \"in3\"))\n";
  if (options.blocks > 0) {
    text << "    for k in range(1, " << options.blocks + 1
         << "):\n"
            "        y = F.relu(norm(conv(x, f\"res{k}.conv1\"), f\"res{k}.in1\"))\n"
            "        x = x + norm(conv(y, f\"res{k}.conv2\"), f\"res{k}.in2\")\n";
  }
  text << "    x = F.relu(norm(up(x, \"deconv1\"), \"in4\"))\n"
          "    x = F.relu(norm(up(x, \"deconv2\"), \"in5\"))\n"
          "    return (0.5 + 0.25 * conv(x, \"deconv3\")).clamp(0, 1)\n";
  return text.str();
}

}  // namespace gesso
