#include "onnx_export.h"

#include <cmath>

#include "gesso/training/onnx_export.h"
#include "style_network_walk.h"

namespace gesso {

void export_style_network(StyleNetwork& network, double amount, const std::string& path) {
  OnnxGraph graph("picture", 3);
  const double noise =
      amount * network.options().noise * std::sqrt(3.0);  // the most, of that standard deviation
  const std::string x = noise > 0 ? graph.add_noise(graph.input(), noise) : graph.input();
  graph.save(path, graph.clip(walk_style_network(network, graph, x), 0, 1));
}

}  // namespace gesso
