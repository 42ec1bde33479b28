// Applying a style network to pictures that no memory holds.
#pragma once

#include <functional>

#include "gesso/layers/strips/strip_graph.h"
#include "stylize.h"

namespace gesso {

/// stylize() as a value of `graph`, for the photograph that is its value `photograph`, of 3 channels: the same bits. Throws
/// as stylize() does. The network must be in eval mode, and be and stay as it is when the graph runs.
int painted_by_strips(StripGraph& graph, StyleNetwork& network, int photograph,
                      const PaintOptions& options = {});

/// A picture (1, C, H, W) in memory as an input of a graph.
std::function<RowStreamPointer(Index rows)> strips_of(const Tensor& picture);

}  // namespace gesso
