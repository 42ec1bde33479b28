// A trained style network for PyTorch: a state dict, and the Python that runs it.
#pragma once

#include <string>
#include <vector>

#include "style_network.h"

namespace gesso {

/// The network's state with the rows of gamma and beta of each conditional instance norm added up, weighted by `rows`:
/// what an InstanceNorm2d would have. Throws ArgumentError unless there are as many weights as rows.
StateDict torch_state(const StyleNetwork& network, const std::vector<double>& rows);

/// Python for PyTorch that loads that state from `file` and defines paint(x), which takes and gives pictures
/// (N, 3, H, W) in [0, 1]. With noise (`amount` times that of the options) it draws its own: pictures are alike, not
/// equal. Throws ArgumentError for batch-instance normalization, which PyTorch does not have.
std::string torch_program(const StyleNetworkOptions& options, double amount, const std::string& file);

}  // namespace gesso
