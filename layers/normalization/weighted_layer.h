// What weight norm, weight standardization and spectral norm can be put on, and the names of their parameters
// in files.
#pragma once

#include <concepts>
#include <string>

#include "gesso/layers/conv2d.h"
#include "gesso/layers/linear.h"

namespace gesso {

/// The layers that ask effective_weight() what to compute with.
template <class Layer>
concept WeightedLayer =
    std::same_as<Layer, Conv2d> || std::same_as<Layer, ConvTranspose2d> || std::same_as<Layer, Linear>;

/// The key under which torch.nn.utils.weight_norm and spectral_norm have what torch.nn.utils.parametrizations
/// calls `key`: conv.weight_g for conv.parametrizations.weight.original0. Other keys stay as they are. For
/// loading files of either:
///
///     net.load_state_dict(load_weights("net.pth"), {.rename = classic_weight_key});
std::string classic_weight_key(const std::string& key);

}  // namespace gesso
