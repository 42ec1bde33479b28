#include "onnx_export.h"

#include <cmath>
#include <map>

#include "gesso/training/onnx_export.h"

namespace gesso {

void export_style_network(StyleNetwork& network, double amount, const std::string& path) {
  std::map<std::string, Module*> parts;
  for (const auto& [name, module] : network.named_modules()) {
    parts.emplace(name, module);
  }
  OnnxGraph graph("picture", 3);
  const auto conv = [&](const std::string& name, const std::string& x) {
    return graph.layer(*parts.at(name + ".conv2d"), x);
  };
  // Without normalization some of these are a ReLU and others nothing.
  const auto norm = [&](const std::string& name, const std::string& x) {
    const auto found = parts.find(name);
    return found == parts.end() ? x : graph.layer(*found->second, x);
  };
  const double noise =
      amount * network.options().noise * std::sqrt(3.0);  // the most, of that standard deviation
  std::string x = noise > 0 ? graph.add_noise(graph.input(), noise) : graph.input();
  x = norm("in1", conv("conv1", x));
  x = norm("in2", conv("conv2", x));
  x = norm("in3", conv("conv3", x));
  for (int i = 1; i <= network.options().blocks; ++i) {
    const std::string block = concat_text("res", i);
    const std::string inner = norm(block + ".in1", conv(block + ".conv1", x));
    x = graph.add(x, norm(block + ".in2", conv(block + ".conv2", inner)));
  }
  x = norm("in4", conv("deconv1", graph.upsample_nearest(x, 2)));
  x = norm("in5", conv("deconv2", graph.upsample_nearest(x, 2)));
  graph.save(path, graph.clip(graph.affine(conv("deconv3", x), 0.25, 0.5), 0, 1));
}

}  // namespace gesso
