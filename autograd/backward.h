// The engine behind Tensor::backward().
#pragma once

#include "gesso/autograd/graph.h"

namespace gesso {

/// Passes `upstream`, the gradient of the tensor at `root`, back through the graph: newest operation first,
/// so that every gradient is complete before it is passed on. Frees what each operation saved as soon as it
/// has run, unless `keep_graph`.
void run_backward(const std::shared_ptr<Node>& root, Tensor upstream, bool keep_graph);

/// Whether a backward function is running on this thread.
bool in_backward();

/// The operation whose backward function is running on this thread, with its result's shape: "mul (2, 3)".
std::string running_operation();

}  // namespace gesso
