// Writing a differentiable operation. Forward and backward stand side by side, as in all built-in operations:
//
//     // x / (1 + |x|), whose derivative is 1 / (1 + |x|)^2
//     Tensor softsign(const Tensor& x) {
//       Tensor y = map_elements(x, [](auto v) { return v / (1 + std::abs(v)); });
//       return record("softsign", y, {x}, [x = save(x)](const Tensor& dy, Gradients& d) {
//         d(0, [&] {  // the gradient of input 0, called only when somebody wants it
//           return zip_elements(dy, x(), [](auto g, auto v) { return g / std::pow(1 + std::abs(v), 2); });
//         });
//       });
//     }
//
// gradcheck.h says whether the derivative is right:
//
//     Tensor x = Tensor::randn({2, 3}, rng, float64).requires_grad_();
//     std::cout << gradcheck([](const auto& in) { return softsign(in[0]); }, {x}).str() << "\n";
//
// An operation that can be put together from others needs none of this: x / (1 + abs(x)) has its gradient.
// examples/own_operation.cpp is a whole program with an operation of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gesso/core/kernels/elementwise.h"
#include "gesso/core/tensor.h"

namespace gesso {

// ---- recording

/// What a backward function fills in: the gradient of each input of the operation, in the order given to
/// record().
class Gradients {
 public:
  explicit Gradients(const std::vector<std::shared_ptr<Node>>& inputs)
      : inputs_(inputs), values_(inputs.size()), unfinished_(inputs.size()) {}

  /// Whether input i requires a gradient. What nobody wants need not be computed; what somebody wants must be
  /// set. Throws ArgumentError, as set() does, when the operation has no input i.
  bool wanted(std::size_t i) const { return inputs_[check(i)] != nullptr; }
  void set(std::size_t i, Tensor gradient) { values_[check(i)] = std::move(gradient); }
  /// The gradient of input i is make(), called only when it is wanted.
  template <class Make>
  void operator()(std::size_t i, Make&& make) {
    if (wanted(i)) {
      set(i, make());
    }
  }
  /// The gradient of input i is under way: finish() gives it, and is called once, when backward() has come to that input
  /// and needs it. For a sum over the samples of several processes (batch_share.h).
  void later(std::size_t i, std::function<Tensor()> finish) { unfinished_[check(i)] = std::move(finish); }

  // for the engine
  Tensor take(std::size_t i) { return std::move(values_[i]); }
  std::function<Tensor()> take_unfinished(std::size_t i) { return std::move(unfinished_[i]); }

 private:
  std::size_t check(std::size_t i) const;

  const std::vector<std::shared_ptr<Node>>& inputs_;
  std::vector<Tensor> values_;
  std::vector<std::function<Tensor()>> unfinished_;
};

/// Computes the gradients of an operation's inputs from the gradient `dy` of its result. Runs without
/// recording. Must set the gradient of every input that wants one, with the input's shape and dtype:
/// backward() throws ArgumentError, naming the operation, where it does not.
using Backward = std::function<void(const Tensor& dy, Gradients& d)>;

/// Gives `result` its place in the graph if any input needs a gradient; else returns it as it is. `result`
/// must be a tensor of its own (fresh, or an alias), never one of the inputs (ArgumentError). An undefined
/// tensor may stand for an input that an operation does without (a missing bias).
Tensor record(const char* operation, Tensor result, const std::vector<Tensor>& inputs, Backward backward);

// ---- what backward needs

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

// ---- loops over elements, in parallel and vectorised; what they return has no place in the graph yet

/// A fresh tensor of f(x[i]). f takes float or double, as x is.
template <class F>
Tensor map_elements(const Tensor& x, F f) {
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  with_dtype(x.dtype(), [&]<class T>() { map_elements(x.data<T>(), y.mutable_data<T>(), x.numel(), f); });
  return y;
}

/// A fresh tensor of f(a[i], b[i]). Throws ArgumentError unless shapes and dtypes are equal.
template <class F>
Tensor zip_elements(const Tensor& a, const Tensor& b, F f) {
  require(a.shape() == b.shape() && a.dtype() == b.dtype(), "zip_elements: one tensor is ", a.describe(),
          " and the other ", b.describe(), "; they must be alike");
  Tensor y = Tensor::empty(a.shape(), a.dtype());
  with_dtype(a.dtype(),
             [&]<class T>() { zip_elements(a.data<T>(), b.data<T>(), y.mutable_data<T>(), a.numel(), f); });
  return y;
}

// ---- switching recording off

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

// ---- for people

/// Names a tensor for drawings of the graph and for error messages. Returns it.
const Tensor& set_label(const Tensor& tensor, std::string label);
/// The name given to it; "" without one.
std::string label_of(const Tensor& tensor);

}  // namespace gesso
