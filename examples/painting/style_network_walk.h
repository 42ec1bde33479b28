// A style network as a graph of operations, for those who do not compute it as it is: files for other programs, strips.
#pragma once

#include <map>
#include <string>

#include "style_network.h"

namespace gesso {

/// Puts the network into `graph`, as it paints the picture `x` (with its noise), and returns its painting,
/// around [0, 1]. A graph has layer(Module&, x), add(x, y), affine(x, factor, shift) and
/// upsample_conv(Conv2d&, x), as OnnxGraph has.
template <class Graph, class Value>
Value walk_style_network(StyleNetwork& network, Graph& graph, Value x) {
  std::map<std::string, Module*> parts;
  for (const auto& [name, module] : network.named_modules()) {
    parts.emplace(name, module);
  }
  const auto conv = [&](const std::string& name, const Value& from) {
    return graph.layer(*parts.at(name + ".conv2d"), from);
  };
  const auto upsample_conv = [&](const std::string& name, const Value& from) {
    return graph.upsample_conv(dynamic_cast<Conv2d&>(*parts.at(name + ".conv2d")), from);
  };
  // Without normalization some of these are a ReLU and others nothing.
  const auto norm = [&](const std::string& name, const Value& from) {
    const auto found = parts.find(name);
    return found == parts.end() ? from : graph.layer(*found->second, from);
  };
  x = norm("in1", conv("conv1", x));
  x = norm("in2", conv("conv2", x));
  x = norm("in3", conv("conv3", x));
  for (int i = 1; i <= network.options().blocks; ++i) {
    const std::string block = concat_text("res", i);
    const Value inner = norm(block + ".in1", conv(block + ".conv1", x));
    x = graph.add(x, norm(block + ".in2", conv(block + ".conv2", inner)));
  }
  x = norm("in4", upsample_conv("deconv1", x));
  x = norm("in5", upsample_conv("deconv2", x));
  return graph.affine(conv("deconv3", x), 0.25, 0.5);
}

}  // namespace gesso
