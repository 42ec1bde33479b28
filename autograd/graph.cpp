#include "gesso/autograd/graph.h"

#include <atomic>

#include "gesso/autograd/backward.h"
#include "gesso/autograd/interruption.h"
#include "gesso/autograd/node.h"
#include "gesso/autograd/profiler.h"

namespace gesso {
namespace {

std::atomic<std::uint64_t> next_id{1};
thread_local bool recording = true;

}  // namespace

Node::Node(const char* operation, const Tensor& tensor)
    : id(next_id++), operation(operation), shape(tensor.shape()), dtype(tensor.dtype()) {}

Node::~Node() {
  // A node that only this one still holds would be destroyed inside this destructor, its inputs inside that,
  // and so on down a graph that may be thousands of operations deep. Taking the inputs away first keeps the
  // depth at one.
  std::vector<std::shared_ptr<Node>> pending_nodes = std::move(inputs);
  while (!pending_nodes.empty()) {
    std::shared_ptr<Node> node = std::move(pending_nodes.back());
    pending_nodes.pop_back();
    if (node && node.use_count() == 1) {
      for (std::shared_ptr<Node>& input : node->inputs) {
        pending_nodes.push_back(std::move(input));
      }
      node->inputs.clear();
    }
  }
}

std::string Node::describe() const {
  return label.empty() ? concat_text(operation, ' ', shape)
                       : concat_text(operation, " \"", label, "\" ", shape);
}

bool grad_enabled() { return recording; }

NoGradGuard::NoGradGuard() : before_(recording) { recording = false; }

NoGradGuard::~NoGradGuard() { recording = before_; }

bool needs_grad(const Tensor& x) { return recording && x.defined() && x.node() != nullptr; }

std::size_t Gradients::check(std::size_t i) const {
  require(i < inputs_.size(), "backward of ", running_operation(), ": there is no input ", i,
          "; the operation was recorded with ", inputs_.size());
  return i;
}

Saved::Saved(const Tensor& tensor, bool keep) {
  if (tensor.defined()) {
    shape_ = tensor.shape();
    dtype_ = tensor.dtype();
    if (keep) {
      tensor_ = tensor.alias(tensor.shape());
      version_ = tensor.version();
    }
  }
}

const Tensor& Saved::operator()() const {
  require(tensor_.defined(), "backward of ", running_operation(), ": a tensor of shape ", shape_,
          " was not kept");
  require(tensor_.version() == version_, "backward of ", running_operation(), ": a tensor of shape ", shape_,
          " that it needs was changed in place by ", tensor_.last_change(),
          " after the operation; change a clone() of it, or call backward() first");
  return tensor_;
}

Tensor record(const char* operation, Tensor result, const std::vector<Tensor>& inputs, Backward backward) {
  check_interruption();
  if (Profiler* profiler = Profiler::active(); profiler && !in_backward()) {
    ProfiledOperation entry{.name = operation, .result = result.shape()};
    for (const Tensor& input : inputs) {
      if (input.defined()) {
        entry.inputs.push_back(input.shape());
      }
    }
    profiler->ended(std::move(entry));
  }
  bool needed = false;
  for (const Tensor& input : inputs) {
    require(!input.defined() || !input.is(result), operation,
            ": its result is one of its inputs; return an alias() or a clone() of it");
    needed = needed || needs_grad(input);
  }
  if (!needed) {
    return result;
  }
  auto node = std::make_shared<Node>(operation, result);
  for (const Tensor& input : inputs) {
    node->inputs.push_back(input.defined() ? input.node() : nullptr);
    node->input_shapes.push_back(input.defined() ? std::optional(input.shape()) : std::nullopt);
  }
  node->backward = std::move(backward);
  result.set_node(std::move(node));
  return result;
}

std::string label_of(const Tensor& tensor) { return tensor.node() ? tensor.node()->label : ""; }

const Tensor& set_label(const Tensor& tensor, std::string label) {
  require(tensor.node() != nullptr,
          "set_label: the tensor has no place in a graph; call requires_grad_() first");
  tensor.node()->label = std::move(label);
  return tensor;
}

}  // namespace gesso
