// What the engine keeps about a tensor's place in the graph. Only for autograd/; operations are written with
// graph.h.
#pragma once

#include <optional>

#include "gesso/autograd/graph.h"

namespace gesso {

struct Node {
  Node(const char* operation, const Tensor& tensor);
  ~Node();  // frees long chains without recursion

  std::uint64_t id;       ///< grows with time: inputs are older than results
  const char* operation;  ///< "mul"; "leaf" for a leaf
  std::string label;      ///< a name for people, e.g. "conv1.weight"; may be empty
  Shape shape;
  DType dtype;
  std::vector<std::shared_ptr<Node>> inputs;       ///< null where the input requires no gradient
  std::vector<std::optional<Shape>> input_shapes;  ///< for drawing the graph; none for a missing input
  Backward backward;
  bool freed = false;      ///< backward() passed here and freed what was saved
  bool keep_grad = false;  ///< retain_grad() was called; leaves keep theirs anyway
  Tensor grad;             ///< accumulated over backward() calls
  Tensor pending;          ///< the sum of what arrived in the backward() under way
  /// What is still to be added to it, in order (Gradients::later()), and the node that it comes from.
  std::vector<std::pair<std::function<Tensor()>, std::shared_ptr<const Node>>> arriving;
  std::vector<std::pair<int, std::function<Tensor(const Tensor&)>>> hooks;
  int next_hook = 0;

  /// For error messages: mul (2, 3), or with a label conv "conv1" (2, 3).
  std::string describe() const;
};

}  // namespace gesso
