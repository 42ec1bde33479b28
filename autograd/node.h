// The graph behind tensors. A Node is a tensor's place in it: which operation made the tensor, from which
// tensors, and how the gradient passes back. Every operation is written the same way, forward and backward
// side by side:
//
//     Tensor exp(const Tensor& x) {
//       Tensor y = map(x, [](auto v) { return std::exp(v); });
//       return record("exp", y, {x}, [y = save(y)](const Tensor& dy, Gradients& dx) {
//         dx(0, [&] { return mul(dy, y()); });  // d exp(x) / dx = exp(x)
//       });
//     }
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gesso/core/tensor.h"

namespace gesso {

/// What a backward function fills in: the gradient of each input of the operation, in the order given to
/// record().
class Gradients {
 public:
  explicit Gradients(const std::vector<std::shared_ptr<Node>>& inputs)
      : inputs_(inputs), values_(inputs.size()) {}

  /// Whether input i requires a gradient. What nobody wants need not be computed.
  bool wanted(std::size_t i) const { return inputs_[i] != nullptr; }
  void set(std::size_t i, Tensor gradient) { values_[i] = std::move(gradient); }
  /// The gradient of input i is make(), called only when it is wanted.
  template <class Make>
  void operator()(std::size_t i, Make&& make) {
    if (wanted(i)) {
      set(i, make());
    }
  }
  Tensor take(std::size_t i) { return std::move(values_[i]); }

 private:
  const std::vector<std::shared_ptr<Node>>& inputs_;
  std::vector<Tensor> values_;
};

/// Computes the gradients of an operation's inputs from the gradient `dy` of its result. Runs without
/// recording.
using Backward = std::function<void(const Tensor& dy, Gradients& dx)>;

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
  std::vector<std::pair<int, std::function<Tensor(const Tensor&)>>> hooks;
  int next_hook = 0;

  /// For error messages: mul (2, 3), or with a label conv "conv1" (2, 3).
  std::string describe() const;
};

/// Whether operations are recorded on this thread now.
bool grad_enabled();

/// Turns recording off on this thread for as long as it lives.
class NoGradGuard {
 public:
  NoGradGuard();
  ~NoGradGuard();
  NoGradGuard(const NoGradGuard&) = delete;
  NoGradGuard& operator=(const NoGradGuard&) = delete;

 private:
  bool before_;
};

/// Whether an operation on x is recorded now: x requires a gradient and recording is on.
bool needs_grad(const Tensor& x);

/// A tensor kept for backward: its memory, without its place in the graph (so a result may keep itself). It
/// remembers the shape and dtype even when the elements are not kept.
class Saved {
 public:
  Saved() = default;
  Saved(const Tensor& tensor, bool keep);

  const Shape& shape() const { return shape_; }
  DType dtype() const { return dtype_; }
  bool kept() const { return tensor_.defined(); }
  /// The tensor. Throws ArgumentError, naming operation and culprit, if it was changed in place since.
  const Tensor& operator()() const;

 private:
  Tensor tensor_;
  Shape shape_;
  DType dtype_ = float32;
  std::uint64_t version_ = 0;
};

/// Keeps `tensor` for backward if `keep`; a gradient that nobody wants keeps nothing: save(x, needs_grad(w)).
inline Saved save(const Tensor& tensor, bool keep = true) { return Saved(tensor, keep); }

/// Gives `result` its place in the graph if any input needs a gradient; else returns it as it is. `result`
/// must be a tensor of its own (fresh, or an alias), never one of the inputs (ArgumentError). An undefined
/// tensor may stand for an input that an operation does without (a missing bias).
Tensor record(const char* operation, Tensor result, const std::vector<Tensor>& inputs, Backward backward);

/// Names a tensor for drawings of the graph and for error messages. Returns it.
const Tensor& set_label(const Tensor& tensor, std::string label);

}  // namespace gesso
