// Drawing the graph behind a tensor.
#pragma once

#include <string>

#include "gesso/core/tensor.h"

namespace gesso {

/// The graph that made `tensor`, in the DOT language of Graphviz (dot -Tsvg): one box per operation with its
/// name, its label (set_label) and the shape of its result, arrows from inputs to results. Leaves that
/// require a gradient are green, inputs without a gradient grey, `tensor` itself has a thick border. Call it
/// before backward(), which frees the graph (a freed operation is drawn dashed, without inputs). Throws
/// ArgumentError for a tensor that requires no gradient: it has no graph.
std::string graph_dot(const Tensor& tensor);

}  // namespace gesso
