#include "gesso/autograd/backward.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "gesso/autograd/interruption.h"
#include "gesso/autograd/node.h"
#include "gesso/autograd/profiler.h"

namespace gesso {
namespace {

thread_local const Node* running = nullptr;

// All nodes that the gradient of `root` reaches, newest first: a topological order, since results are newer
// than inputs. Throws for a graph that was freed, before anything has changed.
std::vector<std::shared_ptr<Node>> reachable(const std::shared_ptr<Node>& root) {
  std::vector<std::shared_ptr<Node>> nodes = {root};
  std::unordered_set<const Node*> seen = {root.get()};
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const Node& node = *nodes[i];
    require(!node.freed, "backward: the graph of ", node.describe(),
            " was freed by an earlier backward(); pass keep_graph = true there to go through it twice");
    for (const std::shared_ptr<Node>& input : node.inputs) {
      if (input && seen.insert(input.get()).second) {
        nodes.push_back(input);
      }
    }
  }
  std::sort(nodes.begin(), nodes.end(), [](const auto& a, const auto& b) { return a->id > b->id; });
  return nodes;
}

// sum += value. Memory is reused only where nobody else can see it change: whoever holds a gradient keeps the
// values that it had.
void accumulate(Tensor& sum, Tensor value) {
  if (!sum.defined()) {
    sum = std::move(value);
  } else if (sum.owned_alone()) {
    sum.add_(value);
  } else if (value.owned_alone()) {
    value.add_(sum);
    sum = std::move(value);
  } else {
    sum = sum.clone();
    sum.add_(value);
  }
}

// grad += value, as memory of its own: one tensor may be the gradient of several others (both sides of an
// addition, say), and an optimiser that changes one gradient in place must not change the other.
void accumulate_grad(Tensor& grad, Tensor value) {
  if (!grad.defined() && !value.owned_alone()) {
    grad = value.clone();
  } else {
    accumulate(grad, std::move(value));
  }
}

void check_gradient(const Tensor& gradient, const Node& input, const Node& from) {
  require(gradient.shape() == input.shape && gradient.dtype() == input.dtype, "backward of ", from.describe(),
          ": its gradient for an input that is ", name_of(input.dtype), ' ', input.shape, " is ",
          gradient.describe());
}

// Runs one operation's backward function and hands the results to its inputs.
void propagate(const std::shared_ptr<Node>& self, const Tensor& gradient) {
  Node& node = *self;
  Gradients gradients(node.inputs);
  running = &node;
  node.backward(gradient, gradients);
  if (Profiler* profiler = Profiler::active()) {
    ProfiledOperation entry{.name = node.operation, .backward = true, .result = node.shape};
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.input_shapes[i]) {
        entry.inputs.push_back(*node.input_shapes[i]);
      }
      if (node.inputs[i]) {
        entry.gradients.push_back(node.inputs[i]->shape);
      }
    }
    profiler->ended(std::move(entry));
  }
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    Tensor input_gradient = gradients.take(i);
    if (std::function<Tensor()> finish = gradients.take_unfinished(i); finish && node.inputs[i]) {
      node.inputs[i]->arriving.emplace_back(std::move(finish), self);
    } else if (node.inputs[i]) {
      require(input_gradient.defined(), "backward of ", node.describe(),
              ": its backward function set no gradient for input ", i, ", of shape ", node.inputs[i]->shape,
              "; set one, or leave the input out of record()");
      check_gradient(input_gradient, *node.inputs[i], node);
      accumulate(node.inputs[i]->pending, std::move(input_gradient));
    }
  }
}

// The whole gradient of a node that all nodes before it have been passed for.
Tensor take_pending(Node& node) {
  for (const auto& [finish, from] : std::exchange(node.arriving, {})) {
    Tensor gradient = finish();
    check_gradient(gradient, node, *from);
    accumulate(node.pending, std::move(gradient));
  }
  return std::exchange(node.pending, {});
}

}  // namespace

bool in_backward() { return running != nullptr; }

std::string running_operation() { return running ? running->describe() : "an operation"; }

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
          node->arriving.clear();
        }
      }
    }
  } cleanup{nodes};

  root->pending = std::move(upstream);
  for (std::shared_ptr<Node>& node : nodes) {
    check_interruption();
    Tensor gradient = take_pending(*node);
    if (!gradient.defined()) {
      continue;
    }
    for (const auto& [id, hook] : std::vector(node->hooks)) {  // a copy: a hook may remove itself
      if (Tensor changed = hook(gradient); changed.defined()) {
        require(changed.shape() == node->shape && changed.dtype() == node->dtype, "gradient hook of ",
                node->describe(), ": it returned ", changed.describe(), " for a gradient that is ",
                name_of(node->dtype), ' ', node->shape);
        gradient = changed.detach();
      }
    }
    if (node->backward) {
      if (node->keep_grad) {
        accumulate_grad(node->grad, gradient);
      }
      propagate(node, gradient);
      if (!keep_graph) {
        node->backward = nullptr;
        node->inputs.clear();
        node->freed = true;
      }
    } else {
      accumulate_grad(node->grad, std::move(gradient));
    }
    node.reset();
  }
}

// ---- what Tensor declares

bool Tensor::requires_grad() const { return node() != nullptr; }

bool Tensor::is_leaf() const { return node() == nullptr || (!node()->backward && !node()->freed); }

Tensor& Tensor::requires_grad_(bool value) {
  require(is_leaf(), "requires_grad_: this tensor is the result of ",
          requires_grad() ? node()->operation : "",
          "; only leaves can be switched, use detach() for a leaf with its values");
  if (!value) {
    set_node(nullptr);
  } else if (!node()) {
    set_node(std::make_shared<Node>("leaf", *this));
  }
  return *this;
}

Tensor Tensor::grad() const { return node() ? node()->grad : Tensor(); }

void Tensor::set_grad(const Tensor& grad) {
  require(requires_grad(), "set_grad: the tensor requires no gradient; call requires_grad_() first");
  require(!grad.defined() || (grad.shape() == shape() && grad.dtype() == dtype()),
          "set_grad: the gradient is ", grad.describe(), ", the tensor ", describe());
  node()->grad = grad.defined() ? grad.detach() : grad;
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
            "; without an upstream gradient it must be a scalar "
            "(take a sum or mean, or pass an upstream gradient)");
    run_backward(node(), ones(shape(), dtype()), keep_graph);
  }
}

Tensor Tensor::detach() const { return alias(shape()); }

int Tensor::register_hook(std::function<Tensor(const Tensor&)> hook) const {
  require(requires_grad(),
          "register_hook: the tensor requires no gradient, so the hook would never be called");
  auto& hooks = node()->hooks;
  const int id = node()->next_hook++;
  hooks.emplace_back(id, std::move(hook));
  return id;
}

void Tensor::remove_hook(int hook) const {
  if (node()) {
    std::erase_if(node()->hooks, [&](const auto& entry) { return entry.first == hook; });
  }
}

}  // namespace gesso
