#include "gesso/autograd/backward.h"

#include <algorithm>
#include <unordered_set>

namespace gesso {
namespace {

thread_local const Node* running = nullptr;

// All nodes that the gradient of `root` reaches, newest first: a topological order, since results are newer
// than inputs.
std::vector<std::shared_ptr<Node>> reachable(const std::shared_ptr<Node>& root) {
  std::vector<std::shared_ptr<Node>> nodes = {root};
  std::unordered_set<const Node*> seen = {root.get()};
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    // nodes grows inside the loop, so no reference into it is kept
    for (std::size_t j = 0; j < nodes[i]->inputs.size(); ++j) {
      const std::shared_ptr<Node>& input = nodes[i]->inputs[j];
      if (input && seen.insert(input.get()).second) {
        nodes.push_back(std::shared_ptr<Node>(input));
      }
    }
  }
  std::sort(nodes.begin(), nodes.end(), [](const auto& a, const auto& b) { return a->id > b->id; });
  return nodes;
}

// sum += value. The sum's memory is reused when nobody else can see it.
void accumulate(Tensor& sum, Tensor value) {
  if (!sum.defined()) {
    sum = std::move(value);
  } else if (sum.owned_alone()) {
    sum.add_(value);
  } else {
    Tensor total = Tensor::empty(sum.shape(), sum.dtype());
    total.copy_(sum);
    total.add_(value);
    sum = std::move(total);
  }
}

void check_gradient(const Tensor& gradient, const Node& input, const Node& from) {
  require(gradient.shape() == input.shape && gradient.dtype() == input.dtype, "backward of ", from.operation,
          ' ', from.shape, ": its gradient for an input of shape ", input.shape, " is ", gradient.describe());
}

// Runs one operation's backward function and hands the results to its inputs.
void propagate(Node& node, const Tensor& gradient) {
  require(!node.freed, "backward: the graph of ", node.operation, ' ', node.shape,
          " was freed by an earlier backward(); pass keep_graph = true there to go through it twice");
  Gradients gradients(node.inputs);
  running = &node;
  node.backward(gradient, gradients);
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    Tensor input_gradient = gradients.take(i);
    if (node.inputs[i] && input_gradient.defined()) {
      check_gradient(input_gradient, *node.inputs[i], node);
      accumulate(node.inputs[i]->pending, std::move(input_gradient));
    }
  }
}

}  // namespace

std::string running_operation() {
  return running ? concat_text(running->operation, ' ', running->shape) : "an operation";
}

void run_backward(const std::shared_ptr<Node>& root, Tensor upstream, bool keep_graph) {
  const NoGradGuard no_grad;
  std::vector<std::shared_ptr<Node>> nodes = reachable(root);
  // Whatever happens, no half-summed gradient stays behind for the next backward().
  struct Cleanup {
    std::vector<std::shared_ptr<Node>>& nodes;
    const Node* before = running;
    ~Cleanup() {
      running = before;
      for (const auto& node : nodes) {
        if (node) {
          node->pending = {};
        }
      }
    }
  } cleanup{nodes};

  root->pending = std::move(upstream);
  for (std::shared_ptr<Node>& node : nodes) {
    Tensor gradient = std::move(node->pending);
    node->pending = {};
    if (!gradient.defined()) {
      continue;
    }
    for (const auto& [id, hook] : std::vector(node->hooks)) {  // a copy: a hook may remove itself
      if (Tensor changed = hook(gradient); changed.defined()) {
        require(changed.shape() == node->shape && changed.dtype() == node->dtype,
                "gradient hook: it returned ", changed.describe(), " for a gradient of shape ", node->shape);
        gradient = std::move(changed);
      }
    }
    if (node->keep_grad) {
      accumulate(node->grad, gradient);
    }
    if (node->backward || node->freed) {
      propagate(*node, gradient);
      if (!keep_graph) {
        node->backward = nullptr;
        node->inputs.clear();
        node->freed = true;
      }
    }
    node.reset();
  }
}

// ---- what Tensor declares
// -----------------------------------------------------------------------------------------

bool Tensor::requires_grad() const { return node() != nullptr; }

bool Tensor::is_leaf() const { return node() == nullptr || (!node()->backward && !node()->freed); }

Tensor& Tensor::requires_grad_(bool value) {
  require(is_leaf(), "requires_grad_: this tensor is the result of ",
          requires_grad() ? node()->operation : "",
          "; only leaves can be switched, use detach() for a leaf with its values");
  if (!value) {
    set_node(nullptr);
  } else if (!node()) {
    auto leaf = std::make_shared<Node>("leaf", *this);
    leaf->keep_grad = true;
    set_node(std::move(leaf));
  }
  return *this;
}

Tensor Tensor::grad() const { return node() ? node()->grad : Tensor(); }

void Tensor::set_grad(const Tensor& grad) {
  require(requires_grad(), "set_grad: the tensor requires no gradient; call requires_grad_() first");
  require(!grad.defined() || (grad.shape() == shape() && grad.dtype() == dtype()),
          "set_grad: the gradient is ", grad.describe(), ", the tensor ", describe());
  node()->grad = grad;
}

void Tensor::zero_grad() {
  if (node()) {
    node()->grad = {};
  }
}

Tensor& Tensor::retain_grad() {
  require(requires_grad(),
          "retain_grad: the tensor requires no gradient; call requires_grad_() on a leaf before");
  node()->keep_grad = true;
  return *this;
}

void Tensor::backward(const Tensor& upstream, bool keep_graph) const {
  require(requires_grad(), "backward: the tensor of shape ", shape(),
          " was not computed from any tensor that requires a gradient (or under a NoGradGuard)");
  if (upstream.defined()) {
    require(upstream.shape() == shape() && upstream.dtype() == dtype(), "backward: the upstream gradient is ",
            upstream.describe(), ", the tensor ", describe());
    run_backward(node(), upstream.detach(), keep_graph);
  } else {
    require(numel() == 1, "backward: the tensor has shape ", shape(),
            "; without an upstream gradient it must be a scalar (take a sum or mean, or pass an upstream "
            "gradient)");
    run_backward(node(), ones(shape(), dtype()), keep_graph);
  }
}

Tensor Tensor::detach() const { return alias(shape()); }

int Tensor::register_hook(std::function<Tensor(const Tensor&)> hook) const {
  require(requires_grad(),
          "register_hook: the tensor requires no gradient, so the hook would never be called");
  auto& hooks = node()->hooks;
  const int id = hooks.empty() ? 0 : hooks.back().first + 1;
  hooks.emplace_back(id, std::move(hook));
  return id;
}

void Tensor::remove_hook(int hook) const {
  if (node()) {
    std::erase_if(node()->hooks, [&](const auto& entry) { return entry.first == hook; });
  }
}

}  // namespace gesso
