// The networks of PyTorch's fast_neural_style example (pytorch/examples), and others of the same layers: mosaic.pth,
// candy.pth and their like, as they are published.
#pragma once

#include <memory>
#include <string>

#include "gesso/core/files/weights.h"
#include "style_network.h"

namespace gesso {

/// Whether the file has the names of such a network.
bool is_torch_style_network(const WeightsReader& file);

/// The network in eval mode, for pictures in [0, 1] like all of gesso's; the example's are from 0 to 255, and its
/// first and last convolution take that factor in. Width and number of blocks are read off the weights. Entries that
/// old files have and instance norm has no use for (in1.running_mean, ...: PyTorch before 0.4) are left alone. Throws
/// FileError, naming `path` and the entry, for one that is missing, unexpected or of another shape.
std::unique_ptr<StyleNetwork> load_torch_style_network(const WeightsReader& file, const std::string& path);

}  // namespace gesso
