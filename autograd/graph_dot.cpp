#include "gesso/autograd/graph_dot.h"

#include <sstream>
#include <unordered_map>

#include "gesso/autograd/node.h"

namespace gesso {
namespace {

// Inside the quotes of a DOT string.
std::string escaped(const std::string& text) {
  std::string result;
  for (char c : text) {
    if (c == '\n') {
      result += "\\n";
    } else {
      if (c == '"' || c == '\\') {
        result += '\\';
      }
      result += c;
    }
  }
  return result;
}

std::string caption(const Node& node) {
  const std::string shape = concat_text(node.dtype, ' ', node.shape);
  if (node.label.empty()) {
    return concat_text(node.operation, '\n', shape);
  }
  const bool leaf = !node.backward && !node.freed;
  return leaf ? concat_text(node.label, '\n', shape)
              : concat_text(node.operation, '\n', node.label, '\n', shape);
}

const char* style(const Node& node, bool root) {
  if (node.freed) {
    return root ? ", style=\"rounded,dashed\", penwidth=3" : ", style=\"rounded,dashed\"";
  }
  if (!node.backward) {
    return root ? ", fillcolor=\"#cfe8cf\", style=filled, penwidth=3"
                : ", fillcolor=\"#cfe8cf\", style=filled";
  }
  return root ? ", style=rounded, penwidth=3" : ", style=rounded";
}

}  // namespace

std::string graph_dot(const Tensor& tensor) {
  require_defined(tensor, "graph_dot", "its argument");
  require(tensor.requires_grad(), "graph_dot: the tensor of shape ", tensor.shape(),
          " was not computed from any tensor that requires a gradient (or under a NoGradGuard)");
  std::ostringstream out;
  out.imbue(std::locale::classic());
  out << "digraph gesso {\n  rankdir=TB;\n  node [shape=box, fontname=\"Helvetica\", fontsize=11];\n";
  std::vector<const Node*> nodes = {tensor.node().get()};
  std::unordered_map<const Node*, std::size_t> numbers = {{nodes[0], 0}};
  std::size_t constants = 0;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const Node& node = *nodes[i];
    out << "  n" << i << " [label=\"" << escaped(caption(node)) << '"' << style(node, i == 0) << "];\n";
    for (std::size_t k = 0; k < node.inputs.size(); ++k) {
      if (const Node* input = node.inputs[k].get()) {
        const auto [entry, is_new] = numbers.emplace(input, nodes.size());
        if (is_new) {
          nodes.push_back(input);
        }
        out << "  n" << entry->second << " -> n" << i << ";\n";
      } else if (const std::optional<Shape>& shape = node.input_shapes[k]) {
        out << "  c" << constants << " [label=\"" << *shape
            << "\", fontcolor=\"#777777\", color=\"#bbbbbb\"];\n  c" << constants << " -> n" << i
            << " [color=\"#bbbbbb\"];\n";
        ++constants;
      }
    }
  }
  out << "}\n";
  return out.str();
}

}  // namespace gesso
