// A trained style network as ONNX.
#pragma once

#include <string>

#include "style_network.h"

namespace gesso {

/// Writes the network, in the style or mix that is set, to `path`: pictures (N, 3, H, W) in [0, 1], H and W multiples
/// of 4, called "picture", to such pictures called "output". Noise, `amount` times that of the options, is drawn by
/// whoever runs the file: pictures are alike, not equal. Throws ArgumentError for a network with batch-instance
/// normalization, and as OnnxGraph does.
void export_style_network(StyleNetwork& network, double amount, const std::string& path);

}  // namespace gesso
